"""Ratios by contender and by cell, and the figure of them."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from reports.peers import Section, tables
from reports.peers.entries import entries
from reports.peers.figure import CAPTION, figure
from reports.peers.frame import frame
from reports.peers.table import Line, lines, per_cell
from tests.reports.peers.made_up import NETWORK, SMALL, WIDE, cell_parts, papers


def line(made: Section, framework: str, ours: str, other: str) -> Line:
    """One line of the table."""
    (found,) = [one for one in made.lines if (one.framework, one.ours, one.other) == (framework, ours, other)]
    return found


def test_every_one_of_ours_stands_beside_every_contender_of_its_method(made: Section) -> None:
    found = [(one.framework, one.method, one.ours, one.other) for one in made.lines]
    assert len(found) == len(set(found)) == 4 + 4 + 10 + 4
    assert ("torch", "forward_gradient", "ours factored", "stock") in found
    assert ("jax", "step", "ours factored step", "ours backprop step") in found
    assert [framework for framework, *_ in found] == ["torch"] * 8 + ["jax"] * 14


def test_a_line_has_the_median_the_largest_cell_and_its_interval(made: Section) -> None:
    found = line(made, "torch", "ours ift", "torchdeq ift anderson")
    assert [one.cell for one in found.cells] == [SMALL, WIDE] and found.failed == found.lost == []
    assert found.median == pytest.approx(1 / 1.45) and found.worst is not None
    assert found.worst.ratio[:4] == pytest.approx((1 / 1.45, 1 / 1.45, 1 / 1.45, 3))


def test_failures_are_counted_and_out_of_the_median(made: Section) -> None:
    found = line(made, "torch", "ours ift", "torchdeq ift broyden")
    assert [one.cell for one in found.cells] == [SMALL]
    assert (found.count(applicable=True), found.count(applicable=False)) == (1, 0)
    gone = line(made, "jax", "ours unrolled", "optimistix unrolled")
    assert (gone.count(applicable=True), gone.count(applicable=False)) == (0, 2)
    assert gone.worst is None and gone.median != gone.median


def test_one_failed_worker_discredits_the_cell() -> None:
    rows = cell_parts("torch", SMALL, {"ours ift": 0.004, "torchdeq ift anderson": 0.005}, workers=2)
    rows[1]["records"][1] |= {"status": "failed", "reason": "Off.", "seconds": None, "ratio": None}
    (found,) = lines(entries(frame(papers(rows))[0]))
    assert not found.cells and [one.reason for one in found.failed] == ["Off."]


def test_where_ours_fails_the_cell_says_so() -> None:
    rows = cell_parts("torch", SMALL, {"ours ift": ("failed", "No."), "torchdeq ift anderson": 0.005})
    found = lines(entries(frame(papers(rows))[0]))
    assert [one.cell for one in found[0].lost] == [SMALL] and found[0].failed == []
    assert list(per_cell(found)["status"]) == ["ours failed"]


def test_every_cell_is_in_the_data(made: Section) -> None:
    named = tables(made)
    assert set(named) == {"peers-targets", "peers-ratios", "peers-records"}
    ratios = named["peers-ratios"]
    assert len(ratios) == sum(len(one.cells) + len(one.failed) for one in made.lines)
    assert (ratios["ratio"].notna() == (ratios["status"] == "ok")).all()
    assert ratios.loc[ratios["status"] == "ok", ["low", "high", "ours_seconds", "ours_error"]].notna().all(axis=None)


def test_the_figure_is_in_words_too(made: Section) -> None:
    assert made.figure is not None and made.figure.caption == CAPTION
    picture = ET.fromstring(made.figure.svg)
    title = picture.find("title")
    assert title is not None and title.text is not None
    assert f"torch, ours ift by torchdeq ift anderson: median 0.690 of 2 cells, largest 0.690 ({SMALL})" in title.text
    shown = {element.text for element in picture.findall(".//text")}
    assert {SMALL, WIDE, NETWORK, "torchdeq ift anderson", "stock", "jax, unrolled: ours unrolled"} <= shown
    assert "nan" not in title.text and list(made.figure.data["cell"])


def test_of_many_cells_the_figure_draws_the_first_and_says_so() -> None:
    times = {"ours jfb": 0.1, "torchdeq jfb": 0.2}
    rows = [row for n in range(41) for row in cell_parts("torch", f"cell {n:02}", times, workers=1)]
    found = figure(lines(entries(frame(papers(rows))[0])))
    assert found is not None and found.caption == f"{CAPTION} Of each panel the first 40 cells are drawn."
    assert "cell 39" in found.svg and "cell 40" not in found.svg.split("</title>")[1]
    assert figure([]) is None
