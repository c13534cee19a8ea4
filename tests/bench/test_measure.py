"""The parent's side: what a run plans, writes and resumes; its workers measure nothing."""

from __future__ import annotations

from bench import store
from bench.grid import Cell
from bench.processes import environment
from tests.bench.harness import CELLS, Bench, gone


def test_every_planned_visit_gives_one_row_on_the_disk(bench: Bench) -> None:
    rows = bench.measure(slots=2)
    keys = {(row["cell"], row["measure"], row["worker"]) for row in rows}
    expected = {(cell.id, "exact", 0) for cell in CELLS} | {(cell.id, "time", n) for cell in CELLS for n in (0, 1)}
    assert keys == expected and len(rows) == len(expected)
    run, *visits = store.read(bench.path)
    assert sorted(visits, key=str) == sorted(rows, key=str)
    assert run["kind"] == "run" and run["cells"] == [cell.id for cell in CELLS] and run["impls"] == "0" * 12
    assert {row["run"] for row in visits} == {run["run"]} and len(run["run"]) == 12
    assert gone({job["pid"] for job in bench.jobs()})


def test_a_row_has_the_fields_of_the_schema(bench: Bench) -> None:
    bench.measure([CELLS[1]], workers=1)
    run, exact, time = store.read(bench.path)
    assert " ".join(run) == (
        "kind schema run preset started commit dirty impls bench versions machine threads workers cells"
    )
    fields = (
        "kind schema run cell framework mode device dtype seed problem sizes method gradient options measure "
        "worker status reason samples values started seconds load core"
    )
    assert " ".join(exact) == " ".join(time) == fields
    assert (time["mode"], time["sizes"], time["status"], time["reason"]) == ("eager", {"width": 4}, "ok", "")
    assert time["samples"]["gradient_s"] == [2.0, 2.0, 2.0] and exact["values"]["peak_bytes"] == 100
    assert run["started"].endswith("Z") and time["started"].endswith("Z") and time["seconds"] >= 0


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
    orders = [[row["cell"] for row in rows if row["framework"] == "torch" and row["worker"] == n] for n in (0, 1)]
    assert orders[0] != orders[1] and sorted(orders[0]) == sorted(orders[1]) == sorted(cell.id for cell in cells[:8])


def test_workers_run_with_one_thread_on_the_cpu(bench: Bench) -> None:
    bench.measure([CELLS[0]], workers=1, pythonpath="somewhere")
    found = bench.jobs()[0]["environment"]
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NPROC"):
        assert found[name] == "1"
    assert (found["JAX_PLATFORMS"], found["PYTHONHASHSEED"], found["PYTHONPATH"]) == ("cpu", "0", "somewhere")


def test_the_environment_keeps_the_rest_and_drops_compiler_flags() -> None:
    found = environment(None, {"HOME": "h", "XLA_FLAGS": "f", "PYTHONPATH": "p", "PYTHONDONTWRITEBYTECODE": "1"})
    assert "XLA_FLAGS" not in found
    assert (found["HOME"], found["PYTHONPATH"], found["PYTHONDONTWRITEBYTECODE"]) == ("h", "p", "1")


def test_a_second_run_measures_only_what_is_missing(bench: Bench) -> None:
    bench.orders(ift="wrong", jfb="failed")
    first = bench.measure()
    bench.orders()
    second = bench.measure()
    assert {row["method"] for row in second} == {"jfb"}  # wrong is for good, failed is tried again
    assert len(second) == sum(row["method"] == "jfb" for row in first)
    assert bench.measure() == []
    assert len(bench.measure(fresh=True)) == len(first)
    bench.orders(impls="1" * 12)
    assert len(bench.measure()) == len(first)  # other sources: nothing counts
