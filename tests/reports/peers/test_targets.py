"""Targets: their patterns fit contenders of the bench, and every one can be met, missed and not measured."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import pytest

from bench.peers.cells import cells
from reports.load import NO_ROW, Failure
from reports.peers.entries import entries, fitting
from reports.peers.frame import frame
from reports.peers.targets import TARGETS, Target
from reports.peers.verdict import MET, MISSED, UNKNOWN, Judged, judge, judged
from tests.reports.peers.made_up import CELLS, FORWARD, SMALL, WIDE, Times, cell_parts, known, papers

EACH = pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
PAIRED = pytest.mark.parametrize("target", [one for one in TARGETS if one.against], ids=lambda target: target.name)


def cells_of(target: Target) -> list[str]:
    """Three cells, of which a target with a least width counts the last two."""
    if target.cell != "*":
        return [target.cell.replace("*", end) for end in ("", " again", " and again")]
    return [SMALL, WIDE, WIDE.replace("512", "1024")]


def names(target: Target, *patterns: str) -> list[str]:
    """The contenders of the bench that a target speaks of."""
    mine: dict[str, Any] = {name: name for name, one in known(target.framework).items() if one.method == target.method}
    return [str(name) for name in fitting(mine, patterns)]


def times(target: Target, number: float) -> Times:
    """Seconds that make the target's number in a cell: against the fastest contender, the others being slower."""
    (own,), others = names(target, target.ours), names(target, *target.against)
    if not others:
        return {own: number * 2.0 * FORWARD}
    return {own: number * 0.01} | {name: 0.01 * (1 + place) for place, name in enumerate(others)}


def verdict(target: Target, *of_cells: Times, **more: Any) -> Judged:
    """Of cells with these times."""
    named = zip(cells_of(target), of_cells, strict=False)
    rows = [row for cell, some in named for row in cell_parts(target.framework, cell, some)]
    return judge(target, entries(frame(papers(rows))[0]), **more)


def without(target: Target, status: str, *patterns: str) -> Times:
    """The contenders that fit the patterns have this status in the place of a time."""
    lost = dict.fromkeys(names(target, *patterns), (status, "because of it"))
    return {**times(target, 0.9 * target.limit), **lost}


@EACH
def test_the_patterns_fit_contenders_of_the_bench(target: Target) -> None:
    assert len(names(target, target.ours)) == 1
    assert all(names(target, pattern) for pattern in target.against)
    assert any(fnmatchcase(cell.name, target.cell) for cell in cells("quick"))
    assert not set(names(target, target.ours)) & set(names(target, *target.against))


@EACH
def test_met(target: Target) -> None:
    found = verdict(target, *[times(target, share * target.limit) for share in (0.8, 0.9, 0.99)])
    assert (found.verdict, found.detail) == (MET, "")
    assert len(found.cells) == (2 if target.width else 3)
    assert found.median == pytest.approx(target.limit * (0.945 if target.width else 0.9))
    assert found.worst is not None and found.worst.number.value == pytest.approx(0.99 * target.limit)
    assert found.worst.number.samples == 3


@EACH
def test_missed_by_the_median(target: Target) -> None:
    found = verdict(target, *[times(target, 1.25 * target.limit)] * 3)
    assert found.verdict == MISSED and " is 25.0 % over " in found.detail


@PAIRED
def test_missed_by_a_single_cell(target: Target) -> None:
    found = verdict(target, *[times(target, number) for number in (0.1, 0.1, 1.2)])
    assert found.verdict == MISSED and found.median == pytest.approx(0.1)
    other = names(target, *target.against)[0]
    assert found.detail == (
        f"1 of 3 cells above 1.05, the worst {cells_of(target)[2]} at 1.20 [1.20, 1.20] (÷ {other})."
    )


@EACH
def test_missed_where_ours_fails(target: Target) -> None:
    found = verdict(target, without(target, "wrong", target.ours), without(target, "wrong", target.ours))
    count = "1 cell" if target.width else "2 cells"
    assert found.verdict == MISSED
    assert found.detail == f"Ours did not reach the error in {count}: wrong, because of it."


@EACH
def test_not_measured_without_rows_and_where_ours_does_not_apply(target: Target) -> None:
    found = verdict(target)
    assert found.verdict == UNKNOWN
    assert found.detail == f"No row of {target.framework} has the method {target.method}."
    found = verdict(target, without(target, "n/a", target.ours), without(target, "n/a", target.ours))
    assert (found.verdict, found.detail) == (UNKNOWN, "Ours has no time: n/a, because of it.")


@PAIRED
def test_a_cell_that_every_contender_failed_is_left_out_and_counted(target: Target) -> None:
    lost = without(target, "failed", *target.against)
    found = verdict(target, times(target, 0.5 * target.limit), lost)
    assert found.verdict == MET and len(found.cells) == 1
    assert found.detail == "Left out: 1 cell in which no contender reached the error."
    found = verdict(target, lost)
    assert found.verdict == UNKNOWN
    assert found.detail == "No contender reached the error in any cell: failed, because of it."


@PAIRED
def test_the_fastest_that_reached_the_error_counts(target: Target) -> None:
    first, *more = names(target, *target.against)
    some = dict(times(target, 0.4)) | {first: ("failed", "because of it")}
    found = verdict(target, some)
    assert [one.other for one in found.cells] == more[:1]
    if more:
        assert found.cells[0].number.value == pytest.approx(0.2)


@pytest.mark.parametrize("target", [one for one in TARGETS if not one.against], ids=lambda target: target.name)
def test_a_distance_needs_a_wide_cell_and_a_flop_ratio(target: Target) -> None:
    rows = cell_parts(target.framework, SMALL, times(target, 1.0))
    assert judge(target, entries(frame(papers(rows))[0])).detail == "No cell is known to have the width 512 or more."
    rows = cell_parts(target.framework, WIDE, times(target, 1.0), flop_ratio=None)
    found = judge(target, entries(frame(papers(rows))[0]))
    assert (found.verdict, found.detail) == (
        UNKNOWN,
        "No row carries both a flop ratio and the seconds of the forward.",
    )


@pytest.mark.parametrize("target", [one for one in TARGETS if not one.against], ids=lambda target: target.name)
def test_a_distance_in_a_forward_that_is_no_unit_is_left_out(target: Target) -> None:
    low = cell_parts(target.framework, WIDE, {names(target, target.ours)[0]: 0.5 * FORWARD})
    found = judge(target, entries(frame(papers(low))[0]))
    assert (found.verdict, found.detail) == (UNKNOWN, "Left out: 1 cell with an R below 1, no unit.")
    fine = cell_parts(target.framework, f"{WIDE}-b", {names(target, target.ours)[0]: 2 * FORWARD})
    both = judge(target, entries(frame(papers([*low, *fine]))[0]))
    assert (both.verdict, len(both.cells)) == (MET, 1) and both.detail.startswith("Left out: 1 cell with an R below 1")


def test_nothing_is_met_while_parts_are_missing_or_failed() -> None:
    target = TARGETS[0]
    good = [row for cell in CELLS for row in cell_parts("torch", cell, times(target, 0.5))]
    rows = entries(frame(papers(good))[0])
    gap, late = Failure("peers/torch/x", "not run", NO_ROW), Failure("peers/torch/y", "timeout", "Too slow.")
    for missing, failed, words in (
        ([gap], [], "Unfinished: 1 planned cell or part without a row."),
        ([], [late], "Unfinished: 1 failed (timeout, Too slow)."),
    ):
        found = judged(rows, missing, failed)[0]
        assert found.verdict == UNKNOWN and found.detail.endswith(words) and len(found.cells) == 2
    elsewhere = Failure("peers/jax/x", "not run", NO_ROW)
    assert judged(rows, [elsewhere], [Failure("peers/torch/z", "n/a", "No.")])[0].verdict == MET


def test_names_are_unique_and_frameworks_share_their_limits_but_where_told() -> None:
    assert len({one.name for one in TARGETS}) == len(TARGETS) == 17
    assert all(0 < one.limit <= 1.15 for one in TARGETS)


def test_a_target_of_one_network_counts_no_other() -> None:
    (target,) = [one for one in TARGETS if one.name == "jax-gaussian"]
    rows = cell_parts("jax", "mlp-4x1024x64", times(target, 0.5))
    assert judge(target, entries(frame(papers(rows))[0])).detail == "No cell is known as mlp-3x1024x64*."
