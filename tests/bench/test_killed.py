"""A run killed with SIGKILL again and again at random points: no finished row is lost, none is measured twice."""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
from collections import Counter
from typing import Any

import msgspec
import psutil
import pytest

from bench.rows import VisitRow, read
from tests.bench.harness import CELLS, FAKE, ROOT, Bench, gone

WORKERS = 40
PARENT = f"""
import json
import sys
from pathlib import Path
import msgspec
from bench.cells import Cell
from bench.run import measure
cells = [Cell(*names) for names in json.loads(sys.argv[3])]
for row in measure(cells, path=Path(sys.argv[1]), preset="smoke", script=Path(sys.argv[2]), workers={WORKERS}):
    print(msgspec.json.encode(row).decode(), flush=True)
"""


KEY = ("framework", "method", "measure", "worker")


def key(row: VisitRow) -> tuple[Any, ...]:
    """Which visit a row is of."""
    return tuple(getattr(row, name) for name in KEY)


def killed(bench: Bench, chance: random.Random) -> list[VisitRow]:
    """The rows that a run announced before it was killed, after some rows and a moment."""
    names = json.dumps([(cell.framework, cell.problem, cell.method) for cell in CELLS])
    command = [sys.executable, "-c", PARENT, str(bench.path), str(FAKE), names]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as parent:
        assert parent.stdout is not None
        lines = [parent.stdout.readline() for _ in range(chance.randrange(8))]
        with contextlib.suppress(subprocess.TimeoutExpired):
            parent.wait(timeout=chance.uniform(0.0, 0.15))
        workers = {one.pid for one in psutil.Process(parent.pid).children(recursive=True)}
        parent.kill()
        lines += parent.stdout.readlines()
    assert parent.returncode < 0 and gone(workers)
    return [msgspec.json.decode(line, type=VisitRow) for line in lines if line.endswith("\n")]


@pytest.mark.parametrize("kills", [4, pytest.param(20, marks=pytest.mark.long)])
def test_kills_lose_no_finished_row_and_repeat_none(kills: int, bench: Bench) -> None:
    chance = random.Random(20)
    finished: list[VisitRow] = []
    for _ in range(kills):
        before, jobs = {key(row) for row in finished}, len(bench.jobs())
        announced = killed(bench, chance)
        rows = [row for row in read(bench.path) if isinstance(row, VisitRow)]
        assert rows[: len(finished)] == finished  # none is lost, none changed
        assert all(row in rows for row in announced)
        assert not before & {tuple(job[name] for name in KEY) for job in bench.jobs()[jobs:]}
        finished = rows
    last = bench.measure(workers=WORKERS, slots=2)
    made = Counter(key(row) for row in [*finished, *last])
    wanted = {(cell.framework, cell.method, "time", worker) for cell in CELLS for worker in range(WORKERS)}
    wanted |= {(cell.framework, cell.method, "exact", 0) for cell in CELLS}
    assert set(made) == wanted and set(made.values()) == {1}
    assert finished and last  # both the kills and the end found something to do
    assert bench.measure(workers=WORKERS) == []
