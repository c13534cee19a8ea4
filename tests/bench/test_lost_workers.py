"""Workers that hang, die or are left behind: each becomes a row, and none becomes an orphan."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from bench.cells import Cell
from bench.rows import Samples, Values, read
from bench.run import measure
from tests.bench.harness import CELLS, FAKE, METHODS, ROOT, Bench, gone


def test_a_hang_becomes_a_timeout_and_later_workers_leave_that_measure_alone(bench: Bench) -> None:
    bench.orders(ift="hang")
    cells = [Cell("torch", "tanh", method, measures=("time",)) for method in METHODS]
    rows = bench.measure(cells, timeout_s=1.0, workers=3)
    hung = [row for row in rows if row.method == "ift"]
    assert [row.status for row in hung] == ["timeout"] * 3
    assert [row.reason for row in hung] == ["no answer within 1 s"] + [
        "skipped after worker 0: no answer within 1 s"
    ] * 2
    assert all(row.samples == Samples() and row.values == Values() for row in hung)
    assert {row.status for row in rows if row.method != "ift"} == {"ok"}
    assert sum(job["method"] == "ift" for job in bench.jobs()) == 1
    assert gone({job["pid"] for job in bench.jobs()})


@pytest.mark.parametrize(
    ("what", "status", "words"),
    [
        ("die", "failed", "the worker process ended with exit code 3: SystemError: thing.so is broken"),
        ("segfault", "failed", "the worker process ended by SIGSEGV: "),
        ("kill", "oom", "the worker process was killed by SIGKILL, as the system does when memory runs out"),
    ],
)
def test_a_death_becomes_a_status_and_a_new_process_goes_on(bench: Bench, what: str, status: str, words: str) -> None:
    bench.orders(ift=what)
    cells = [Cell("jax", "tanh", method, measures=("exact",)) for method in METHODS]
    rows = bench.measure(cells)
    assert [row.status for row in rows] == ["ok", status, "ok"]
    assert rows[1].reason.startswith(words)
    first, second, third = (job["pid"] for job in bench.jobs())
    assert first == second != third


def test_noise_on_stdout_does_not_disturb_the_answers(bench: Bench) -> None:
    bench.orders(ift="noise")
    assert {row.status for row in bench.measure()} == {"ok"}


def test_leaving_the_iterator_stops_the_workers_and_keeps_finished_rows(bench: Bench) -> None:
    bench.orders(jfb="hang")
    cells = [Cell("torch", "tanh", method, measures=("exact",)) for method in METHODS]
    rows = measure(cells, path=bench.path, preset="smoke", script=FAKE, slots=1)
    kept = [next(rows), next(rows)]
    rows.close()
    assert read(bench.path)[1:] == kept  # and no row for the cell that was under way
    assert gone({job["pid"] for job in bench.jobs()})


PARENT = """
import signal
import sys
from pathlib import Path
from bench.cells import Cell
from bench.run import measure
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job would begin with it ignored
cells = [Cell("torch", "tanh", method, measures=("exact",)) for method in ("unrolled", "ift", "jfb")]
for row in measure(cells, path=Path(sys.argv[1]), preset="smoke", script=Path(sys.argv[2]), slots=1):
    print(row.method, flush=True)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_killing_the_parent_loses_no_row_and_leaves_no_orphan(bench: Bench, how: signal.Signals) -> None:
    bench.orders(ift="hang")
    command = [sys.executable, "-c", PARENT, str(bench.path), str(FAKE)]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=dict(os.environ)
    ) as parent:
        assert parent.stdout is not None and parent.stdout.readline() == "unrolled\n"
        os.kill(parent.pid, how)
        parent.wait(timeout=30)
    assert [row.method for row in read(bench.path)[1:]] == ["unrolled"]
    assert gone({job["pid"] for job in bench.jobs()})
    bench.orders()
    cells = [Cell("torch", "tanh", method, measures=("exact",)) for method in METHODS]
    assert [row.method for row in bench.measure(cells)] == ["ift", "jfb"]


def test_a_worker_that_does_not_start_is_said_in_one_sentence(bench: Bench) -> None:
    bench.orders(start="die")
    with pytest.raises(RuntimeError, match="did not start: the worker process ended with exit code 1: no interpreter"):
        bench.measure()
    bench.orders(start="not ready")
    with pytest.raises(LookupError, match="There is no impls here: install it"):
        bench.measure()


def test_sources_that_change_during_a_run_stop_it(bench: Bench) -> None:
    rows = measure(CELLS, path=bench.path, preset="smoke", script=FAKE, slots=1, workers=2)
    next(rows)
    bench.orders(impls="1" * 12)
    with pytest.raises(RuntimeError, match="The sources of impls changed during the run"):
        list(rows)
    assert gone({job["pid"] for job in bench.jobs()})
