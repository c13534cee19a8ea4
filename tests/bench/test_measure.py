"""The parent's side: what a run plans, writes and resumes; its workers measure nothing."""

from __future__ import annotations

import json
import time
from pathlib import Path

from bench.cells import Cell
from bench.processes import Launch, Task, environment
from bench.rows import RunRow, read
from tests.bench.harness import CELLS, Bench, gone


def test_every_planned_visit_gives_one_row_on_the_disk(bench: Bench) -> None:
    rows = bench.measure(slots=2)
    keys = {(row.cell, row.measure, row.worker) for row in rows}
    expected = {(cell.id, "exact", 0) for cell in CELLS} | {(cell.id, "time", n) for cell in CELLS for n in (0, 1)}
    assert keys == expected and len(rows) == len(expected)
    run, *visits = read(bench.path)
    assert sorted(visits, key=str) == sorted(rows, key=str)
    assert isinstance(run, RunRow) and run.cells == [cell.id for cell in CELLS] and run.impls == "0" * 12
    assert {row.run for row in visits} == {run.run} and len(run.run) == 12
    assert gone({job["pid"] for job in bench.jobs()})


def test_a_row_has_the_fields_of_the_schema(bench: Bench) -> None:
    bench.measure([CELLS[1]], workers=1)
    run, exact, time = read(bench.path)
    first, *lines = [json.loads(line) for line in bench.path.read_text().splitlines()]
    assert " ".join(first) == (
        "kind schema impls bench versions machine run preset started commit dirty gpu_driver threads workers cells "
        "parts experiments"
    )
    fields = (
        "kind schema run cell framework device dtype measure worker status reason started seconds load "
        "core conditions mode seed problem sizes method gradient options samples values"
    )
    assert [" ".join(line) for line in lines] == [fields] * 2
    assert (time.mode, time.sizes, time.status, time.reason) == ("eager", {"width": 4}, "ok", "")
    assert time.samples.gradient_s == [2.0, 2.0, 2.0] and exact.values.peak_bytes == 100
    assert run.started.endswith("Z") and time.started.endswith("Z") and time.seconds >= 0


def test_one_process_a_framework_and_worker_and_each_worker_in_its_own_order(bench: Bench) -> None:
    cells = [Cell("torch", "tanh", "ift", {"width": n}, measures=("time",)) for n in range(1, 9)]
    cells += [Cell("jax", "tanh", "ift", measures=("time",))]
    rows = bench.measure(cells)
    by_process: dict[int, set[tuple[str, int]]] = {}
    for job in bench.jobs():
        by_process.setdefault(job["pid"], set()).add((job["framework"], job["worker"]))
    assert sorted(map(sorted, by_process.values())) == sorted(
        [[(name, n)] for name in ("torch", "jax") for n in (0, 1)]
    )
    orders = [[row.cell for row in rows if row.framework == "torch" and row.worker == n] for n in (0, 1)]
    assert orders[0] != orders[1] and sorted(orders[0]) == sorted(orders[1]) == sorted(cell.id for cell in cells[:8])


def test_workers_run_with_one_thread_on_the_cpu(bench: Bench) -> None:
    bench.measure([CELLS[0]], workers=1, pythonpath="somewhere")
    found = bench.jobs()[0]["environment"]
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NPROC"):
        assert found[name] == "1"
    assert (found["JAX_PLATFORMS"], found["PYTHONHASHSEED"], found["PYTHONPATH"]) == ("cpu", "0", "somewhere")


def test_the_environment_keeps_the_rest_and_drops_compiler_flags() -> None:
    here = Launch("python", Path("worker.py"))
    found = environment(
        here, Task(), {"HOME": "h", "XLA_FLAGS": "f", "PYTHONPATH": "p", "PYTHONDONTWRITEBYTECODE": "1"}
    )
    assert "XLA_FLAGS" not in found
    assert (found["HOME"], found["PYTHONPATH"], found["PYTHONDONTWRITEBYTECODE"]) == ("h", "p", "1")


def test_a_worker_on_a_gpu_sees_that_one_and_takes_memory_as_it_needs_it() -> None:
    here = Launch("python", Path("worker.py"))
    timed, exact = (environment(here, Task(measure, "1", 1000), {}) for measure in ("time", "exact"))
    for found in (timed, exact):
        assert (found["JAX_PLATFORMS"], found["CUDA_VISIBLE_DEVICES"]) == ("cuda,cpu", "1")
        assert found["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"
        assert "GRADRATIO_MEMORY_BYTES" not in found  # a driver maps more than any limit on data
    assert exact["XLA_FLAGS"] == "--xla_gpu_autotune_level=0" and "XLA_FLAGS" not in timed
    assert environment(here, Task(memory_bytes=1000), {})["GRADRATIO_MEMORY_BYTES"] == "1000"


def test_processes_share_what_they_compile_but_for_exact_visits() -> None:
    shared = Launch("python", Path("worker.py"), compiled=Path("compiled"))
    for measure in ("time", "part"):
        assert environment(shared, Task(measure), {})["JAX_COMPILATION_CACHE_DIR"] == "compiled"
    alone = environment(Launch("python", Path("worker.py")), Task(), {"JAX_COMPILATION_CACHE_DIR": "mine"})
    assert "JAX_COMPILATION_CACHE_DIR" not in environment(shared, Task("exact"), {}) | alone


def test_a_run_that_is_out_of_time_begins_no_visit_and_the_next_one_goes_on(bench: Bench) -> None:
    assert bench.measure(stop_after_s=0.0) == []
    assert len(bench.measure()) == 18


def test_a_visit_that_is_cut_short_by_the_end_of_a_run_is_not_recorded(bench: Bench) -> None:
    bench.orders(unrolled="hang")
    began = time.monotonic()
    assert bench.measure([CELLS[0]], stop_after_s=2.0, timeout_s=600.0) == []
    assert time.monotonic() - began < 600
    bench.orders()
    assert {row.status for row in bench.measure([CELLS[0]])} == {"ok"}


def test_larger_cells_of_a_series_are_not_tried_after_a_timeout(bench: Bench) -> None:
    bench.orders(unrolled="hang")
    cells = [Cell("torch", "tanh", "unrolled", options={"K": K}, measures=("exact",)) for K in (5, 10, 20)]
    first, *rest = bench.measure(cells, timeout_s=1.0)
    assert first.status == "timeout"
    assert [row.status for row in rest] == ["n/a", "n/a"]
    assert rest[0].reason == f"skipped after timeout of the smaller {cells[0].id}: no answer within 1 s"
    bench.orders()
    assert {row.status for row in bench.measure(cells)} == {"ok"}  # none of it was for good


def test_a_second_run_measures_only_what_is_missing(bench: Bench) -> None:
    bench.orders(ift="wrong", jfb="failed")
    first = bench.measure()
    bench.orders()
    second = bench.measure()
    assert {row.method for row in second} == {"jfb"}  # wrong is for good, failed is tried again
    assert len(second) == sum(row.method == "jfb" for row in first)
    assert bench.measure() == []
    assert len(bench.measure(fresh=True)) == len(first)
    bench.orders(impls="1" * 12)
    assert len(bench.measure()) == len(first)  # other sources: nothing counts
