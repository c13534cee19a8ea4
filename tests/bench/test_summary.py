"""From rows to one line a cell."""

from __future__ import annotations

from typing import Any

from bench.cells import Cell
from bench.summary import summarise, table
from tests import rows as made
from tests.rows import typed

CELL = Cell("torch", "tanh", "ift")


def run(name: str, **changes: Any) -> Any:
    return typed(made.run(name, **changes))


def row(measure: str, worker: int = 0, status: str = "ok", name: str = "r", **more: Any) -> Any:
    reason = "" if status == "ok" else f"{status} it is"
    found = {"measure": measure, "worker": worker, "status": status, "run": name, "reason": reason}
    return typed(made.of_cell(CELL, **found, **more))


def timed(worker: int, forward: float, gradient: float, **more: Any) -> Any:
    samples = {"forward_s": [forward] * 3, "gradient_s": [gradient] * 3}
    return row("time", worker, samples=samples, values={"compile_s": 0.5}, **more)


EXACT = row("exact", values={"peak_bytes": 1024, "gradient_error": 2e-7})


def test_a_cell_is_the_median_over_its_workers() -> None:
    (one,) = summarise([run("r"), timed(0, 1, 2), timed(1, 2, 8), timed(2, 1, 3), EXACT], [CELL])
    assert one.ratios == [2.0, 4.0, 3.0] and one.interval is not None and one.interval[0] == 3.0
    assert (one.forward_s, one.gradient_s, one.status) == (1.0, 3.0, "ok")
    assert (one.forwards, one.gradients) == ([1, 2, 1], [2, 8, 3])
    assert one.values == {"peak_bytes": 1024, "gradient_error": 2e-7, "compile_s": 0.5}


def test_the_last_good_row_of_a_visit_counts() -> None:
    rows = [run("r"), timed(0, 1, 9), timed(0, 1, 2), row("time", 0, "failed"), EXACT]
    (one,) = summarise(rows, [CELL])
    assert one.ratios == [2.0] and one.status == "ok"


def test_only_runs_like_the_newest_count() -> None:
    rows = [run("old", impls="b" * 12), timed(0, 1, 9, name="old"), run("r"), timed(1, 1, 2), EXACT]
    (one,) = summarise(rows, [CELL])
    assert one.ratios == [2.0]


def test_a_failure_shows_and_outranks_not_applicable() -> None:
    rows = [run("r"), timed(0, 1, 2), row("time", 1, "n/a"), row("time", 2, "wrong"), EXACT]
    (one,) = summarise(rows, [CELL])
    assert (one.status, one.reason, one.ratios) == ("wrong", "wrong it is", [2.0])


def test_what_was_never_measured_is_missing() -> None:
    (one,) = summarise([run("r"), EXACT], [CELL])
    assert (one.status, one.reason, one.interval) == ("missing", "not measured: time", None)
    assert summarise([], [CELL])[0].status == "missing"


def test_ratios_beside_R_are_left_out_where_rows_do_not_know_them() -> None:
    known = row("exact", values={"flop_ratio": 2.5, "traffic": 30, "forward_traffic": 12})
    one, other = (summarise([run("r"), timed(0, 1, 3), exact], [CELL])[0] for exact in (known, EXACT))
    assert (one.traffic_ratio, one.distance) == (2.5, 1.2)
    assert (other.traffic_ratio, other.distance) == (None, None)
    assert table([one]).splitlines()[1].split()[1:5] == ["3.00", "2.50", "1.20", "2.50"]


def test_the_table_has_a_line_a_cell_and_the_reasons_below() -> None:
    other = Cell("jax", "tanh", "ift")
    rows = [run("r"), timed(0, 0.001, 0.002), timed(1, 0.001, 0.002), EXACT]
    lines = table(summarise(rows, [CELL, other])).splitlines()
    assert " ".join(lines[0].split()) == (
        "cell R 95 % flop ratio distance traffic ratio forward ms gradient ms peak bytes gradient error status"
    )
    assert lines[1].split() == [
        CELL.id,
        "2.00",
        "[2.00,",
        "2.00]",
        "1.000",
        "2.000",
        "1024",
        "2.00e-07",
        "ok",
    ]
    assert lines[2].split() == [other.id, "missing"]
    assert lines[3:] == ["", f"missing: {other.id}: not measured: time, exact"]


def test_r_is_by_the_processor_s_clock_where_a_worker_did_not_have_its_core() -> None:
    cut = {"forward_s": [1.0] * 3, "gradient_s": [9.0] * 3}
    own = {"forward_cpu_s": [1.0] * 3, "gradient_cpu_s": [3.0] * 3}
    calm = {"forward_s": [1.25] * 3, "gradient_s": [2.5] * 3, "forward_cpu_s": [1.0] * 3, "gradient_cpu_s": [2.5] * 3}
    visits = [row("time", worker, samples=samples) for worker, samples in enumerate((cut | own, calm))]
    (one,) = summarise([run("r"), *visits, EXACT], [CELL])
    assert (one.clock, one.ratios, one.forward_s) == ("cpu", [3.0, 2.5], 1.0)
    assert "By the processor's clock, since a worker did not have its core: 1 cell" in table([one])
    (one,) = summarise([run("r"), visits[1], EXACT], [CELL])
    assert (one.clock, one.ratios, one.forward_s) == ("wall", [2.0], 1.25) and "clock" not in table([one])
