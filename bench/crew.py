"""The threads that lead worker processes through a plan."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import store
from bench.cells import larger
from bench.instruments import machine
from bench.part import Part
from bench.plan import Tour, Visit
from bench.processes import Launch, Lost, Task, Worker
from bench.progress import Progress
from bench.rows import now, visit_row
from bench.store import SKIPPED, Row

GIVE_UP = frozenset({"timeout", "oom"})
"""Statuses after which that measure of the cell is left alone, and of larger ones: it would cost as much again."""


@dataclass(frozen=True)
class Limits:
    """What a worker process may take, and until when visits are begun."""

    timeout_s: float
    """Seconds after which a visit is given up."""
    memory_bytes: int | None = None
    """The most data memory of a worker process on the cpu."""
    deadline: float | None = None
    """When to stop, by ``time.monotonic``; a visit that is under way then is cut short and not recorded."""

    @property
    def left_s(self) -> float:
        """Seconds until the deadline."""
        return float("inf") if self.deadline is None else self.deadline - time.monotonic()


class Crew:
    """One thread a slot leads one process a tour."""

    def __init__(
        self,
        launch: Launch,
        run: Row,
        plan: list[Tour],
        *,
        path: Path,
        job: Row,
        limits: Limits,
        gpus: Sequence[str],
        progress: Progress,
    ) -> None:
        self._launch, self._run, self._path, self._job = launch, run, path, job
        self._limits, self._gpus, self._progress = limits, gpus, progress
        self._plan = deque(plan)
        self._given_up: dict[Visit, tuple[str, str]] = {}
        self._live: set[Worker] = set()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._out: queue.SimpleQueue[Row | BaseException | None] = queue.SimpleQueue()

    def work(self, cores: list[int]) -> Generator[Row, None, None]:
        """Rows as they come, from one slot for each of ``cores``; when this ends, no process is left."""
        threads = [threading.Thread(target=self._slot, args=(core,), daemon=True) for core in cores]
        busy = len(threads)
        try:
            for thread in threads:
                thread.start()
            while busy:
                item = self._out.get()
                if isinstance(item, BaseException):
                    raise item
                if item is None:
                    busy -= 1
                else:
                    yield item
        finally:
            self._stopping.set()
            with self._lock:
                for worker in self._live:
                    worker.stop()
            for thread in threads:
                if thread.ident is not None:  # it was started
                    thread.join()

    def _slot(self, core: int) -> None:
        """Take one tour after another until none is left."""
        try:
            while not self._stopping.is_set() and self._limits.left_s > 0:
                with self._lock:
                    if not self._plan:
                        break
                    tour = self._plan.popleft()
                self._lead(tour, core)
        except BaseException as error:
            self._out.put(error)
        finally:
            self._out.put(None)

    def _lead(self, tour: Tour, core: int) -> None:
        """Lead one worker process through a tour, and a new one on from where one was lost."""
        worker: Worker | None = None
        try:
            for visit in tour:
                skipped = self._skipped(visit)
                if self._stopping.is_set() or self._limits.left_s <= 0:
                    return
                if skipped is None and worker is None:
                    worker = self._start(core, visit)
                if self._stopping.is_set():  # it may have come while the process started
                    return
                if skipped is not None:
                    status, reason = skipped
                    self._keep(visit, {"status": status, "reason": f"{SKIPPED} {reason}"}, core, None)
                elif worker is not None and not self._visit(worker, visit):
                    self._end(worker)
                    worker = None
        finally:
            if worker is not None:
                self._end(worker)

    def _skipped(self, visit: Visit) -> tuple[str, str] | None:
        """Status and reason of a visit that is not made, since it or a smaller one of its series was given up."""
        with self._lock:
            given_up = list(self._given_up.items())
        for last, (status, reason) in given_up:
            if last.key[:2] == visit.key[:2]:
                return status, f"worker {last.worker}: {reason}"
            if last.measure == visit.measure and larger(visit.cell, last.cell):
                return "n/a", f"{status} of the smaller {last.cell.id}: {reason}"
        return None

    def _visit(self, worker: Worker, visit: Visit) -> bool:
        """Make one visit and keep its row; False where the worker was lost in it."""
        with self._lock:
            self._progress.begin(visit)
        began, at_start = time.monotonic(), {"started": now(), "load": machine.load()}
        what = "part" if isinstance(visit.cell, Part) else "cell"
        job = {what: visit.cell.as_json(), "measure": visit.measure, "worker": visit.worker, **self._job}
        alive = True
        try:
            answer = worker.ask(job, max(0.0, min(self._limits.timeout_s, self._limits.left_s)))
        except Lost as lost:
            answer, alive = {"status": lost.status, "reason": lost.reason}, False
        stopped = self._stopping.is_set() or self._limits.left_s <= 0
        if alive or not stopped:  # a worker stopped from outside says nothing of its cell
            self._keep(visit, answer | at_start, worker.core, time.monotonic() - began)
        return alive

    def _keep(self, visit: Visit, answer: Row, core: int | None, seconds: float | None) -> None:
        """Put the row of a visit on the disk, then hand it out."""
        row = visit_row(
            self._run["run"], visit, {"started": now(), "load": machine.load()} | answer, core, seconds or 0.0
        )
        with self._lock:
            if seconds is not None and row["status"] in GIVE_UP:
                self._given_up[visit] = row["status"], row["reason"]
            store.append(self._path, row)
            self._progress.finish(visit, seconds)
        self._out.put(row)

    def _start(self, core: int, visit: Visit) -> Worker:
        """A new worker process, which must measure the sources that the run began with."""
        worker = Worker(self._launch, core, self._task(visit))
        with self._lock:
            self._live.add(worker)
        if worker.ready["impls"] != self._run["impls"]:
            self._end(worker)
            raise RuntimeError("The sources of impls changed during the run: start it again to measure the new ones.")
        return worker

    def _task(self, visit: Visit) -> Task:
        """What the process of this visit's tour is for."""
        kind, _, index = visit.cell.device.partition(":")
        visible = self._gpus[int(index or 0)] if kind == "cuda" else None
        return Task(visit.measure, visible, self._limits.memory_bytes)

    def _end(self, worker: Worker) -> None:
        """End a worker process."""
        with self._lock:
            self._live.discard(worker)
        worker.kill()
