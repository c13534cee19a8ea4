"""The frame of the peers' bench: what a row is, what it costs, and what becomes of damage."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.papers import read
from reports.peers import section
from reports.peers.frame import COLUMNS, frame
from reports.peers.markdown import text
from tests.reports.peers.made_up import FORWARD, NETWORK, SMALL, cell_parts, papers, records, whole
from tests.rows import Row, part, run, typed, write

TIMES = {"ours ift": 0.004, "torchdeq ift anderson": 0.005}


def test_a_row_is_a_cell_a_contender_and_a_worker() -> None:
    rows, told = frame(papers(cell_parts("torch", SMALL, TIMES)))
    assert tuple(rows.columns) == COLUMNS and told == []
    assert len(rows) == 6 and set(rows["worker"]) == {0, 1, 2}
    first = rows.iloc[0]
    assert (first["cell"], first["method"], first["width"], first["dtype"]) == (SMALL, "ift", 128, "float32")
    assert (first["seconds"], first["forward_seconds"], first["error"]) == (0.004, FORWARD, 1e-3)


def test_costs_are_paired_ratios_where_ours_is_the_one_base() -> None:
    rows, _ = frame(papers(cell_parts("torch", SMALL, TIMES)))
    assert list(rows["cost"]) == pytest.approx([1.0, 1.25] * 3)


def test_costs_are_seconds_where_no_ratio_or_no_one_base_is_known() -> None:
    without = cell_parts("torch", SMALL, TIMES, workers=1, ratio=None)
    every_own = cell_parts("torch", NETWORK, {"ours gaussian": 0.4, "ours factored": 0.2}, workers=1, ratio=1.0)
    for rows, seconds in ((without, [0.004, 0.005]), (every_own, [0.4, 0.2])):
        assert list(frame(papers(rows))[0]["cost"]) == seconds


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"seconds": None}, "failed", "no time was recorded"),
        ({"seconds": -1.0}, "failed", "no time was recorded"),
        ({"seconds": "fast"}, "failed", "no time was recorded"),
        ({"status": "great"}, "failed", "its status is the unknown 'great'"),
        ({"status": "failed"}, "failed", "no reason was recorded"),
        ({"status": "n/a", "reason": "No."}, "n/a", "No."),
    ],
)
def test_what_a_row_says_of_itself(changes: Row, status: str, reason: str) -> None:
    rows, _ = frame(papers(cell_parts("torch", SMALL, {"ours ift": 0.004}, workers=1, **changes)))
    assert list(rows["status"]) == [status] and list(rows["reason"]) == [reason]
    assert rows["seconds"].notna().sum() == (status == "ok")


@pytest.mark.parametrize(
    ("cell", "more", "width"),
    [(SMALL, {}, 128), (NETWORK, {}, 1024), ("some cell", {"width": 64}, 64), ("some cell", {}, None)],
)
def test_the_width_of_a_cell(cell: str, more: Row, width: int | None) -> None:
    found = frame(papers(cell_parts("torch", cell, {"ours ift": 0.004}, workers=1, **more)))[0]["width"]
    assert list(found.dropna()) == ([] if width is None else [width])


def test_records_without_a_name_are_passed_over_and_counted(tmp_path: Any) -> None:
    good, bad = records("torch", SMALL, TIMES)
    nameless = {name: value for name, value in bad.items() if name != "contender"}
    rows = [run(), part("peers", [good, nameless, bad | {"method": ""}], cell=SMALL)]
    path = write(tmp_path / "peers-quick.jsonl", rows)
    with path.open("ab") as file:
        file.write(b'{"kind": "part", "schema": 1}\nno JSON\n')
    found = read(path)
    assert [note.partition(" is skipped: ")[0] for note in found.results.notes] == [
        "Line 3 of peers-quick.jsonl",
        "Line 4 of peers-quick.jsonl",
    ]
    rows_found, told = frame(found)
    assert list(rows_found["contender"]) == ["ours ift"]
    assert told == ["Passed over: 2 records of the peers' bench without a framework, a cell, a contender or a method."]


def test_nothing_comes_of_nothing() -> None:
    rows, told = frame(papers([]))
    assert rows.empty and told == [] and "| – |" in text(section(papers([]), drawn=False))


JUNK = st.none() | st.sampled_from([0, -1, 1e300, 5e-324, 10**25, "", "ours", "[x](y)|", "n/a", "W" * 500, True])
BASE = [record for row in whole()[:3] for record in row["records"]]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(BASE), st.sampled_from(sorted(BASE[0])), JUNK), min_size=1, max_size=6))
def test_junk_in_records_is_no_error(changes: list[tuple[Row, str, Any]]) -> None:
    table = [record | {field: junk} for record, field, junk in changes]
    try:
        rows = [typed(part("peers", table, cell=SMALL))]
    except ValueError:  # bench.rows lets no such line pass
        rows = []
    found = section(papers([*rows, *whole()[:2]]), drawn=False)
    assert text(found).count("\n| torch: ") >= 8
