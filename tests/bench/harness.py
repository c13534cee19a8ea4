"""A way to measure with worker processes that measure nothing."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from bench.cells import Cell
from bench.rows import Visited
from bench.run import measure

FAKE = Path(__file__).with_name("fake_worker.py")
ROOT = FAKE.parents[2]
METHODS = ("unrolled", "ift", "jfb")
CELLS = [Cell(framework, "tanh", method) for framework in ("torch", "jax") for method in METHODS]


class Bench:
    """A folder with a file of rows and a log of jobs, and a way to measure into it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path, self.log, self._monkeypatch = folder / "rows.jsonl", folder / "log", monkeypatch

    def orders(self, **orders: str) -> None:
        """What workers started from now on do."""
        self._monkeypatch.setenv("FAKE_WORKER", json.dumps({"log": str(self.log), **orders}))

    def measure(self, cells: list[Cell] = CELLS, **settings: Any) -> list[Visited]:
        """All rows that one run yields."""
        options = {"workers": 2, "slots": 1, "timeout_s": 30.0} | settings
        return list(measure(cells, path=self.path, preset="smoke", script=FAKE, **options))

    def jobs(self) -> list[dict[str, Any]]:
        """The jobs that workers got so far, in order."""
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []


def gone(pids: set[int]) -> bool:
    """Whether all of these processes end without being asked again; one that nobody has reaped yet has ended."""
    alive, deadline = set(pids), time.monotonic() + 20
    while alive and time.monotonic() < deadline:
        alive = {pid for pid in alive if not _ends(pid)}
    return not alive


def _ends(pid: int) -> bool:
    """Whether a process has ended, or does so in a moment."""
    try:
        process = psutil.Process(pid)
        psutil.wait_procs([process], timeout=0.02)
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
