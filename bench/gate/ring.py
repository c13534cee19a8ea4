"""The threads that lead pairs of worker processes through their duels, and put each on the disk."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import store
from bench.cells import Cell
from bench.gate.duel import BUDGET_S, SIDES, Failed, duel
from bench.gate.sides import Side
from bench.instruments import machine
from bench.plan import Visit
from bench.processes import Launch, Task, Worker
from bench.progress import Progress
from bench.rows import SCHEMA, now
from bench.store import Row

CONTROL = "control"
"""The stage in which base is set against itself."""


@dataclass(frozen=True)
class Match:
    """One pair of processes to come: a cell, the stage it belongs to, and its number there."""

    cell: Cell
    stage: str
    pair: int

    @property
    def visit(self) -> Visit:
        """What progress calls it."""
        return Visit(self.cell, f"turns, {self.stage}", self.pair)


class Ring:
    """One slot for each of ``cores``; a pair of processes has its core for itself."""

    def __init__(
        self,
        sides: Mapping[str, Side],
        launches: Mapping[str, Launch],
        *,
        path: Path,
        run: str,
        scratch: str,
        cores: Sequence[int],
        timeout_s: float,
        budget_s: float = BUDGET_S,
        progress: Progress | None = None,
    ) -> None:
        self._sides, self._launches, self._path, self._run = sides, launches, path, run
        self._settings: dict[str, Any] = {"scratch": scratch, "timeout_s": timeout_s, "budget_s": budget_s}
        self._task = Task("time", memory_bytes=machine.memory_for(2 * len(cores)))
        self._slots, self._progress = len(cores), progress or Progress(quiet=True)
        self._cores: queue.SimpleQueue[int] = queue.SimpleQueue()
        for core in cores:
            self._cores.put(core)
        self._live: set[Worker] = set()
        self._lock = threading.Lock()
        self._stopping = False

    def fight(self, matches: Iterable[Match]) -> Generator[Row, None, None]:
        """A row a match, on the disk before it is yielded, as they end; when this ends, no process is left."""
        matches = list(matches)
        self._progress.start([match.visit for match in matches], self._slots)
        with ThreadPoolExecutor(self._slots) as pool:
            waiting = [pool.submit(self._one, match) for match in matches]
            try:
                for ended in as_completed(waiting):
                    yield ended.result()
            finally:
                self._stop()
                pool.shutdown(wait=True, cancel_futures=True)
                self._stopping = False
                self._progress.close()

    def _stop(self) -> None:
        with self._lock:
            self._stopping = True
            for worker in self._live:
                with contextlib.suppress(ProcessLookupError):  # it has just ended
                    worker.stop()

    def _one(self, match: Match) -> Row:
        """Fight one match on a core of its own and keep its row."""
        core = self._cores.get()
        try:
            began = time.monotonic()
            row: Row = {
                "kind": "turns",
                "schema": SCHEMA,
                "run": self._run,
                "cell": match.cell.id,
                "stage": match.stage,
                "pair": match.pair,
                "core": core,
                "started": now(),
                "load": machine.load(),
            }
            with self._lock:
                self._progress.begin(match.visit)
            row |= self._fought(match, core)
            row["seconds"] = round(time.monotonic() - began, 3)
            with self._lock:
                if not self._stopping:  # a worker stopped from outside says nothing of its cell
                    store.append(self._path, row)
                self._progress.finish(match.visit, row["seconds"])
            return row
        finally:
            self._cores.put(core)

    def _fought(self, match: Match, core: int) -> Row:
        """What a match came to."""
        workers: dict[str, Worker] = {}
        try:
            for name in SIDES if match.pair % 2 else SIDES[::-1]:  # neither is always the first to start
                workers[name] = self._start("base" if match.stage == CONTROL else name, core)
            samples = duel(workers, match.cell, **self._settings)
            return {"status": "ok", "side": None, "reason": "", "samples": samples}
        except Failed as failed:
            return {"status": failed.status, "side": failed.name, "reason": failed.reason, "samples": {}}
        finally:
            for worker in workers.values():
                self._end(worker)

    def _start(self, name: str, core: int) -> Worker:
        """A worker process of one side, which must measure the sources that the gate began with."""
        with self._lock:
            if self._stopping:
                raise Failed(name, "failed", "stopped")
        worker = Worker(self._launches[name], core, self._task)
        with self._lock:
            self._live.add(worker)
        if worker.ready["impls"] != self._sides[name].digest:
            self._end(worker)
            raise RuntimeError(f"The sources of {self._sides[name].name} changed meanwhile: start the gate again.")
        return worker

    def _end(self, worker: Worker) -> None:
        with self._lock:
            self._live.discard(worker)
        worker.kill()
