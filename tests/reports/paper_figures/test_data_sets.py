"""Two data sets, or two settings of the solves, in one file: no figure mixes them."""

from __future__ import annotations

import pytest

from reports.claims import CLAIMS, Judged
from reports.claims.verdict import UNKNOWN
from reports.draw import Drawing
from reports.paper_figures.epochs import epochs
from reports.paper_figures.neumann import neumann
from reports.paper_figures.rates import rates
from reports.paper_figures.training import _sets, _with_seconds
from reports.paper_page import Section
from tests.reports.paper_figures.made_up import fit
from tests.rows import Row, papers, part

SETS = {"digits": 1.0, "idx": 3.0}


def runs(experiment: str, **settings: object) -> list[Row]:
    """A run on each data set, whose losses and errors are those of the first times a factor."""
    found = []
    for data, factor in SETS.items():
        records = [one | {"loss": factor * one["loss"], "test_error": factor / 10} for one in fit(0.1, 0)]
        found.append(part(experiment, records, data=data, seed=0, rate=0.1, **settings))
    return found


def test_training_has_a_panel_and_seconds_for_each() -> None:
    parts = runs("training", method="backprop", protocol="tuned")
    for data, factor in SETS.items():
        parts.append(part("training", [{"method": "backprop", "seconds": factor}], what="time", data=data))
    records = papers(parts=parts).records("training")
    shown = dict(_sets(records[records["iteration"].notna()]))
    assert list(shown) == ["digits: tuned rates", "idx: tuned rates"]
    for (data, factor), found in zip(SETS.items(), shown.values(), strict=True):
        timed = _with_seconds(found, records)
        assert set(timed["data"]) == {data} and set(timed["error"]) == {10 * factor}
        assert timed["seconds"].tolist() == (timed["iteration"] * factor).tolist()


def test_rates_and_series_have_a_panel_for_each() -> None:
    rate = rates(papers(parts=runs("training", method="backprop", protocol="tuned")))
    assert rate is not None and rate.data["panel"].tolist() == ["torch, digits", "torch, idx"]
    series = neumann(papers(parts=runs("neumann", k=0) + runs("neumann", k=3)))
    assert series is not None
    ends = series.data.set_index(["panel", "k + 1 terms"])["value"]
    assert ends.to_dict() == pytest.approx({(d, k): 10 * SETS[d] for d in SETS for k in (1, 4)})


def test_epochs_have_a_panel_for_each_tolerance() -> None:
    taken = [{"method": "jfb", "seconds": 1.0}, {"method": "ift gmres", "seconds": 2.0}]
    made = [part("epochs", taken, data="idx", gamma=0.5, tol=tol) for tol in (1e-3, 0.1)]
    drawn = epochs(papers(parts=made))
    assert drawn is not None
    assert drawn.data["panel"].tolist() == ["idx, γ 0.5, tolerance 0.001", "idx, γ 0.5, tolerance 0.1"]


def test_a_claim_points_at_its_own_figure(drawn: list[tuple[str, Drawing]]) -> None:
    section = Section(papers(), [], drawn, [], [], [])
    for claim in CLAIMS:
        first = next(drawing.name for name, drawing in drawn if name in claim.experiments)
        assert section.anchor(Judged(claim, UNKNOWN, "", "", [], [])) == (claim.figure or first)
    assert [claim.figure for claim in CLAIMS if claim.name == "baydin-memory"] == ["papers-depth-batch"]
