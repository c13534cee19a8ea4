"""What each error costs: the figure of the grid, and the table of the cheapest methods."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from reports import precision
from reports.answer.candidate import Case
from reports.answer.common_time import clock
from reports.answer.grid_cases import every
from reports.papers import Papers
from reports.part import Part
from reports.precision import LIMITS
from reports.precision_points import figure, panels, points
from reports.template import render
from tests.reports.answer.made_up import fair, lengths, nets, solves
from tests.reports.answer.worlds import JFB, UNROLLED, frames, layer, papers, picard
from tests.reports.reader import Reader
from tests.rows import Row


def part(rows: Iterable[Row], of: Papers | None = None) -> Part | None:
    """The part of a grid's rows."""
    return precision.part(*frames(rows), of)


def cases(rows: Iterable[Row]) -> list[Case]:
    """Every problem of a grid's rows."""
    frame, samples = frames(rows)
    return every(frame, clock(samples))


def ladder(half: float = 0.01) -> list[Row]:
    """Four methods, each ten times as dear and far more precise as the one before."""
    methods = ((JFB, 1.1, 0.5), (picard(5), 1.5, 5e-2), (("ift", {"linear_solver": "gmres", "M": 5}), 2.0, 5e-5))
    rows = [row for method, cost, error in methods for row in layer(method, cost, error, half=half)]
    return [*rows, *layer(UNROLLED, 3.0, 1e-7)]


def test_the_cheapest_method_at_each_error_is_the_one_that_reaches_it() -> None:
    found = part(ladder())
    assert found is not None
    table = found.data["precision"]
    assert list(table["error_at_most"]) == list(LIMITS)
    assert list(table["method"]) == ["IFT, Picard", "IFT, GMRES", "IFT, GMRES", "unrolled"]
    assert list(table["cost"]) == pytest.approx([1.5, 2.0, 2.0, 3.0])
    assert list(table["unit"]) == ["forwards"] * 4


def test_of_costs_that_are_not_told_apart_the_least_error_is_named() -> None:
    found = part(ladder(half=0.6))
    assert found is not None
    table = found.data["precision"].query("error_at_most == 0.1")
    assert list(table["method"]) == ["unrolled"], "all cost the same, and it has the least error"


def test_two_methods_are_no_panel_and_no_line() -> None:
    assert part([*layer(UNROLLED, 3.0, 1e-7), *layer(JFB, 1.1, 0.5)]) is None
    assert part([]) is None


def test_an_error_that_nothing_reaches_has_no_name_and_a_reason() -> None:
    rows = [*layer(UNROLLED, 3.0, 5e-3), *layer(picard(5), 2.0, 4e-3), *layer(JFB, 1.1, 0.5)]
    found = part(rows)
    assert found is not None
    table = found.data["precision"]
    assert list(table["method"]) == ["IFT, Picard", "IFT, Picard", "", ""]
    assert table.iloc[3]["note"] == (
        "no setting measured has a gradient error of at most 1e-06: the least is 0.00400, of IFT, Picard (K 100, M 5)"
    )
    assert render(found).count("none\n") == 2


def test_lines_of_the_papers_stand_apart_from_the_grids() -> None:
    """Theirs may be of another machine: the same problem in the same unit is no reason to set them side by side."""
    found = part(lengths(), papers(lengths()))
    assert found is not None
    assert [drawing.name for drawing in found.drawings] == ["precision-grid", "papers-work-precision"]
    table = found.data["precision"]
    assert list(table["source"].unique()) == ["grid", "papers"] and set(table["unit"]) == {
        "forwards of K = 100, no R",
        "forwards of K = 100",
    }
    assert [len(lines) for lines in found.content.problems.values()] == [1, 1]
    assert render(found).count("the papers’ experiment</small>") == 1
    for source in ("grid", "papers"):
        first = table[table["source"] == source].iloc[0]
        assert first["method"] == "unrolled" and first["cost"] == pytest.approx(0.3, rel=0.05)


def test_lengths_of_one_layer_share_a_panel_and_its_title_tells_the_unit() -> None:
    found = cases(fair())
    assert [case.longest for case in found] == [160]
    every_point = points(found)
    assert {one.panel for one in every_point} == {"tanh, in forwards of K = 160"} and len(every_point) == 8
    drawn = figure(found)
    assert drawn is not None and "IFT, Picard, torch: error 3.00×10⁻⁴ at 0.500 [" in drawn.svg


def test_every_cell_with_an_error_is_a_point_with_its_interval() -> None:
    found = points(cases(ladder()))
    assert sorted(one.label for one in found) == ["IFT, GMRES", "IFT, Picard", "JFB", "unrolled"]
    assert all(one.low < one.x < one.high for one in found)


def test_an_error_of_zero_has_no_place_and_is_said_to_stand_in_the_table() -> None:
    rows = [*layer(UNROLLED, 3.0, 0.0), *layer(picard(5), 2.0, 1e-3), *layer(JFB, 1.1, 0.5)]
    drawn = figure(cases(rows))
    assert drawn is not None
    assert drawn.caption.endswith("1 cell, of an error of 0 or of further problems, in the table alone.")
    assert len(drawn.data) == 3 and "unrolled" not in drawn.svg.split("</title>")[0]


def test_panels_are_told_apart_by_the_sizes_that_differ() -> None:
    found = cases([*solves(0.95), *solves(0.99), *nets(3, 2.0, 2.0), *fair(0.5)])
    assert set(panels(found)) == {"tanh, gamma 0.5", "tanh, gamma 0.95", "tanh, gamma 0.99", "mlp"}
    twins = cases([*layer(JFB, 1.1, 0.5, framework="torch"), *layer(JFB, 1.1, 0.5, framework="jax")])
    assert panels(twins) == ["tanh", "tanh"]


def test_the_section_nests_and_hostile_names_stay_text() -> None:
    names = ("</td><script>", "$x^{", "{{ 1 }}")
    rows = [row for place, name in enumerate(names) for row in layer((name, {}), 2.0 + place, 10.0**-place)]
    found = part(rows, papers(rows))
    assert found is not None
    source = Reader(render(found))
    assert source.ids[0] == "precision" and not [tag for tag, _ in source.tags if tag == "script"]
    assert {tag for tag, _ in source.tags} >= {"svg", "table", "figcaption"}
