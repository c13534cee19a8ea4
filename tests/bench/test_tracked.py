"""What the asv suite tracks: rows of a commit in one file, measuring that goes on after a kill and begins anew after
its end."""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path
from typing import Any

import pytest

from bench import measure as core
from bench import rows, store, tracked
from tests.bench.harness import FAKE, Bench

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TORCH = tracked.tracked_cells("smoke", "torch", "newton")
JAX = tracked.tracked_cells("smoke", "jax", "newton")
VISITS = 6
"""Of these two cells: an exact one and two timed ones for each."""


@pytest.fixture
def path(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where rows of COMMIT go, with workers that measure nothing."""
    monkeypatch.setattr(core, "measure", functools.partial(core.measure, script=FAKE))
    monkeypatch.setattr(rows, "ROOT", tmp_path)
    monkeypatch.setenv("ASV_COMMIT", COMMIT)
    return tmp_path / "results" / "local" / "asv" / "0123456789ab-smoke.jsonl"


def kinds(path: Path, kind: str) -> list[dict[str, Any]]:
    return [row for row in store.read(path) if row["kind"] == kind]


def test_the_cache_is_what_measuring_came_to_and_reasons_stay_in_the_rows(bench: Bench, path: Path) -> None:
    bench.orders(unrolled="failed")
    found = tracked.measured(TORCH, "smoke")
    assert json.loads(json.dumps(found)) == found and list(found) == [cell.id for cell in TORCH]
    assert [(one["status"], one["ratios"], one["gradients"]) for one in found.values()] == [
        ("failed", [], []),
        ("ok", [2.0, 2.0], [2.0, 2.0]),
    ]
    assert {row["commit"] for row in kinds(path, "run")} == {COMMIT}
    assert {row["reason"] for row in kinds(path, "visit") if row["status"] == "failed"} == {"as told"}
    (verdict,) = kinds(path, "verdict")
    assert [one["found"] for one in verdict["surprises"]] == ["failed"]


def test_without_a_commit_of_asv_rows_are_those_of_the_working_tree(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ASV_COMMIT")
    tracked.measured(TORCH, "smoke")
    (run,) = kinds(path.with_name("worktree-smoke.jsonl"), "run")
    assert run["commit"] is None and run["dirty"] and not path.exists()


def test_classes_share_a_file_and_what_is_finished_is_measured_anew(bench: Bench, path: Path) -> None:
    first = [tracked.measured(cells, "smoke") for cells in (TORCH, JAX)]
    assert len(bench.jobs()) == 2 * VISITS
    bench.orders(ift="failed")
    second = tracked.measured(TORCH, "smoke")
    assert len(bench.jobs()) == 3 * VISITS
    assert [one["status"] for one in second.values()] == ["ok", "failed"]  # the good rows of last time do not hide it
    assert [one["status"] for found in first for one in found.values()] == ["ok"] * 4
    assert len(kinds(path, "run")) == len(kinds(path, "verdict")) == 3


@pytest.mark.parametrize("finished_before", [False, True])
def test_what_a_kill_interrupted_goes_on_though_another_class_ran_in_between(
    bench: Bench, path: Path, finished_before: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if finished_before:
        tracked.measured(TORCH, "smoke")
    before = len(bench.jobs())
    killed = core.measure(TORCH, workers=2, path=path, preset="smoke", since=len(store.read(path)), commit=COMMIT)
    kept = [next(killed) for _ in range(3)]
    killed.close()
    made = len(bench.jobs()) - before
    tracked.measured(JAX, "smoke")
    found = tracked.measured(TORCH, "smoke")
    assert [one["status"] for one in found.values()] == ["ok", "ok"]
    rest = len(bench.jobs()) - before - made - VISITS
    assert VISITS - made <= rest <= VISITS - len(kept)  # a visit that the kill cut short is made again


def test_measuring_stops_when_asv_is_gone(bench: Bench, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parents = iter([7, 7, 1])
    monkeypatch.setattr(os, "getppid", lambda: next(parents))
    with pytest.raises(RuntimeError, match="asv has ended before its suite"):
        tracked.measured(TORCH, "smoke")
    assert len(kinds(path, "visit")) < VISITS and not kinds(path, "verdict")
