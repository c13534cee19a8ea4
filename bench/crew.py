"""The threads that lead worker processes through a plan."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Generator
from pathlib import Path

from bench import store
from bench.instruments import machine
from bench.plan import Tour, Visit
from bench.processes import Launch, Lost, Worker
from bench.progress import Progress
from bench.rows import now, visit_row
from bench.store import Row

GIVE_UP = frozenset({"timeout", "oom"})
"""Statuses after which later workers leave that measure of the cell alone: it would cost as much again."""


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
        timeout_s: float,
        progress: Progress,
    ) -> None:
        self._launch, self._run, self._path, self._job = launch, run, path, job
        self._timeout_s, self._progress = timeout_s, progress
        self._plan = deque(plan)
        self._given_up: dict[tuple[str, str], tuple[str, str]] = {}
        self._live: set[Worker] = set()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._out: queue.SimpleQueue[Row | BaseException | None] = queue.SimpleQueue()

    def work(self, cores: list[int]) -> Generator[Row, None, None]:
        """Rows as they come, from one slot for each of ``cores``; when this ends, no process is left."""
        threads = [threading.Thread(target=self._slot, args=(core,), daemon=True) for core in cores]
        for thread in threads:
            thread.start()
        busy = len(threads)
        try:
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
                thread.join()

    def _slot(self, core: int) -> None:
        """Take one tour after another until none is left."""
        try:
            while not self._stopping.is_set():
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
                skipped = self._given_up.get(visit.key[:2])
                if skipped is None and worker is None:
                    worker = self._start(core)
                if self._stopping.is_set():
                    return
                if skipped is not None:
                    status, reason = skipped
                    self._keep(visit, {"status": status, "reason": f"skipped after {reason}"}, core, None)
                elif worker is not None and not self._visit(worker, visit):
                    self._end(worker)
                    worker = None
        finally:
            if worker is not None:
                self._end(worker)

    def _visit(self, worker: Worker, visit: Visit) -> bool:
        """Make one visit and keep its row; False where the worker was lost in it."""
        with self._lock:
            self._progress.begin(visit)
        began, at_start = time.monotonic(), {"started": now(), "load": machine.load()}
        job = {"cell": visit.cell.as_json(), "measure": visit.measure, "worker": visit.worker, **self._job}
        alive = True
        try:
            answer = worker.ask(job, self._timeout_s)
        except Lost as lost:
            answer, alive = {"status": lost.status, "reason": lost.reason}, False
        if alive or not self._stopping.is_set():  # a worker stopped from outside says nothing of its cell
            self._keep(visit, answer | at_start, worker.core, time.monotonic() - began)
        return alive

    def _keep(self, visit: Visit, answer: Row, core: int | None, seconds: float | None) -> None:
        """Put the row of a visit on the disk, then hand it out."""
        row = visit_row(
            self._run["run"], visit, {"started": now(), "load": machine.load()} | answer, core, seconds or 0.0
        )
        with self._lock:
            if seconds is not None and row["status"] in GIVE_UP:
                self._given_up[visit.key[:2]] = row["status"], f"worker {visit.worker}: {row['reason']}"
            store.append(self._path, row)
            self._progress.finish(visit, seconds)
        self._out.put(row)

    def _start(self, core: int) -> Worker:
        """A new worker process, which must measure the sources that the run began with."""
        worker = Worker(self._launch, core)
        with self._lock:
            self._live.add(worker)
        if worker.ready["impls"] != self._run["impls"]:
            self._end(worker)
            raise RuntimeError("The sources of impls changed during the run: start it again to measure the new ones.")
        return worker

    def _end(self, worker: Worker) -> None:
        """End a worker process."""
        with self._lock:
            self._live.discard(worker)
        worker.kill()
