"""The state of the machine on the page: GPU, overhead, disturbances, and what nobody expected."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from reports import read
from reports.frame import cells, samples
from reports.grid import grid
from tests.reports.additions import conditions
from tests.reports.reader import data
from tests.rows import Row, run, timed
from tests.rows import write as write_results


def notes_of(rows: Iterable[Row], tmp_path: Path, **changes: Any) -> list[str]:
    """The cautions of a few rows."""
    changes = {"workers": 1} | changes
    return grid(read(write_results(tmp_path / "some.jsonl", [run(**changes), *rows]))).cautions


def test_the_gpu_and_the_overhead_are_facts(more_source: str) -> None:
    assert "<dt>GPU</dt><dd>2 × GPU 200, 140 GB, driver 570.1</dd>" in more_source
    assert (
        "<dt>harness overhead</dt><dd>median 2.00 µs a timed call; at most 0.100 % of a forward (tanh, " in more_source
    )


def test_disturbances_are_counted_and_their_cells_named(more_source: str, more_page: Path) -> None:
    assert "The machine was busy: 1 of 72 time visits had more load than cores, or less than 90 %" in more_source
    assert "(down to 40.0 %); measure again on a quiet machine: tanh, JFB, torch." in more_source
    assert "took more than 5 % of the processor (up to 20.0 %) in 1 of 72 time visits" in more_source
    assert "The clock was throttled, under 75 % of its maximum, in 1 of 72 time visits" in more_source
    (row,) = (
        row
        for row in data(more_page, "cells")
        if (row["runner"], row["device"], row["label"]) == ("torch", "cpu", "JFB")
    )
    assert [float(row[name]) for name in ("visits", "busy", "stolen", "throttled")] == [3, 1, 1, 1]


def test_conditions_take_the_place_of_the_load_alone(tmp_path: Path) -> None:
    calm = timed(2.0, 0) | {"load": 9.9} | conditions()
    assert notes_of([calm], tmp_path) == []
    older = timed(2.0, 1) | {"load": 9.9, "conditions": None}
    (sentence,) = notes_of([calm, older], tmp_path)
    assert sentence.startswith("The machine was busy: 1 of 2 time visits began at a load average above")


def test_many_disturbed_cells_are_counted(tmp_path: Path) -> None:
    rows = [timed(2.0, problem=f"p{number}") | conditions("throttled") for number in range(7)]
    (sentence,) = notes_of(rows, tmp_path)
    assert "in 7 of 7 time visits" in sentence
    assert sentence.endswith(
        ": p0, backprop, torch; p1, backprop, torch; p2, backprop, torch; p3, backprop, torch; and 3 more."
    )


def test_the_clock_of_a_cell_is_named(tmp_path: Path) -> None:
    """The wall clock saw 6 forwards in a gradient call of one worker, whose process computed for 2."""
    own = {"forward_cpu_s": [1.0] * 3, "gradient_cpu_s": [2.0] * 3}
    calm, cut = (
        timed(2.0, worker) | {"samples": {"forward_s": [1.0] * 3, "gradient_s": [taken] * 3, **own}}
        for worker, taken in ((0, 2.0), (1, 6.0))
    )
    rows = [calm, cut, timed(3.0, 0, problem="other"), timed(3.0, 1, problem="other")]
    found = read(write_results(tmp_path / "some.jsonl", [run(workers=2), *rows]))
    frame, pairs = cells(found), samples(found)
    assert list(frame["clock"]) == ["cpu", "wall"] and frame["R"].iloc[0] == frame["gradient_s"].iloc[0] == 2.0
    assert set(pairs.loc[pairs["problem"] != "other", "R"]) == {2.0}
    (sentence,) = [one for one in grid(found).cautions if "clock" in one]
    assert sentence.startswith("Times and R of 1 cell are by the processor's clock") and "other" not in sentence


def test_surprises_are_named(more_source: str, tmp_path: Path) -> None:
    assert "was expected to be wrong and was ok (second order by design)." in more_source
    many = [{"cell": f"c{number}", "expected": "ok", "found": "oom"} for number in range(12)]
    found = notes_of([timed(2.0), {"kind": "verdict", "schema": 1, "run": "0" * 12, "surprises": many}], tmp_path)
    assert found[0] == "Surprise: c0 was expected to be ok and was oom." and found[-1] == "And 2 more surprises."
    assert len(found) == 11
