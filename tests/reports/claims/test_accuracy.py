"""Test errors where runs diverge, solves fail, or two data sets are in one file."""

from __future__ import annotations

from math import inf, isnan
from typing import Any

from bench.stats import difference
from reports.claims.verdict import FAILS, HOLDS, PARTLY, UNDECIDED
from reports.paper_figures.accuracy import accuracy as figure
from tests.reports.claims.test_claims import became
from tests.reports.claims.worlds import fit, papers
from tests.rows import Row, part


def runs(method: str, *ends: float | None, experiment: str = "accuracy", **more: Any) -> list[Row]:
    """A run a seed, which ends at this test error or diverges."""
    found, solves = [], {name: more.pop(name, 0) for name in ("failed", "unscored")}
    for seed, end in enumerate(ends):
        records = fit([2.0, None if end is None else 0.1], end)
        records[-1] |= {"diverged": int(end is None), **solves}
        settings = {"data": "digits", "method": method, "rate": 0.1, "seed": seed} | more
        found.append(part(experiment, records, "jax", **settings))
    return found


def test_a_method_that_always_diverges_loses() -> None:
    parts = runs("jfb", None, None) + runs("jfb", None, None, rate=0.5) + runs("ift", 0.1, 0.1)
    found = became("jfb-no-loss", papers(parts=parts))
    assert found.verdict == FAILS
    assert found.measured == "jax, digits: diverged and 10 %, 2 seeds; 2 of 2 seeds of JFB diverged"


def test_one_seed_that_diverges_leaves_it_open() -> None:
    found = became("jfb-no-loss", papers(parts=runs("jfb", 0.1, 0.101, None) + runs("ift", 0.1, 0.1, 0.1)))
    assert (found.verdict, found.cases[0].value, found.cases[0].high) == (UNDECIDED, inf, inf)
    assert "1 of 3 seeds of JFB diverged" in found.measured


def test_a_rate_at_which_a_seed_diverges_is_not_chosen() -> None:
    lucky = runs("jfb", 0.01, 0.01, None, rate=0.5)
    found = became("jfb-no-loss", papers(parts=lucky + runs("jfb", *[0.1] * 3) + runs("ift", *[0.1] * 3)))
    assert (found.verdict, found.cases[0].value) == (HOLDS, 0.0)


def test_differences_of_infinite_errors() -> None:
    both = {"a": inf, "b": inf}
    none = {"a": 1.0, "b": 2.0}
    assert difference(both, none)[:3] == (inf, inf, inf) and difference(none, both)[:3] == (-inf, -inf, -inf)
    assert isnan(difference(both, both).value) and isnan(difference({"a": inf}, none).low)
    mixed = difference({"a": inf, "b": 2.0}, {"a": 1.0, "b": inf})
    assert (mixed.low, mixed.high) == (-inf, inf)


def test_data_sets_do_not_mix() -> None:
    parts = runs("jfb", 0.1, 0.1) + runs("ift", 0.1, 0.1)
    parts += runs("jfb", 0.3, 0.3, data="idx") + runs("ift", 0.1, 0.1, data="idx")
    found = became("jfb-no-loss", papers(parts=parts))
    assert (found.verdict, found.detail) == (PARTLY, "Holds for digits. Not for idx.")
    series = [
        row
        for data, worse in (("digits", 0.0), ("idx", 0.2))
        for k, error in ((0, 0.1 + worse), (3, 0.1))
        for row in runs("ift", error, error, experiment="neumann", data=data, k=k)
    ]
    assert became("jfb-neumann-accuracy", papers(parts=series)).detail == "Holds for digits. Not for idx."


def test_solves_that_missed_are_told_beside_the_errors() -> None:
    made = papers(parts=runs("jfb", 0.1, 0.1, unscored=5) + runs("ift", 0.1, 0.1, unscored=1, failed=1))
    assert became("jfb-no-loss", made).cases[0].note == (
        "10 % and 10 %, 2 seeds; 12 solves missed 1e-3 while scoring; 2 solves missed 1e-3 while training"
    )
    drawn = figure(made)
    assert drawn is not None
    assert drawn.data.groupby("label")["unscored"].first().to_dict() == {"JFB": 10, "IFT": 2}
    assert drawn.data.groupby("label")["failed"].first().to_dict() == {"JFB": 0, "IFT": 2}
