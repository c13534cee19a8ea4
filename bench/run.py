"""The one leader of worker processes: plan, slots and cores, time-outs, losses, resuming.

``measure`` measures cells, and parts of experiments, in worker processes and yields one row a visit, each on the disk
before it is yielded. A plan is a list of tours; a ``Leader`` leads it with one thread a slot, and each tour by a group
of processes: one, or several that are asked together, as two commits that take turns on one core (``bench.gate``).
"""

from __future__ import annotations

import queue
import secrets
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench import VERSION
from bench.cells import Cell, larger, on_gpus
from bench.instruments import machine, sources
from bench.plan import Part, Tour, Visit, errands, tours, visit_row
from bench.processes import WORKER, Here, Launch, Lost, Task, Worker
from bench.progress import Progress
from bench.rows import ROOT, SKIPPED, RunRow, Visited, append, done, made, now

TIMEOUT_S = 300.0
"""Seconds after which a visit is given up, unless said otherwise."""

GIVE_UP = frozenset({"timeout", "oom"})
"""Statuses after which that measure of the cell is left alone, and of larger ones: it would cost as much again."""


def measure(
    cells: Iterable[Cell],
    *,
    parts: Iterable[Part] = (),
    experiments: Mapping[str, Iterable[str]] | None = None,
    data: Path | None = None,
    workers: int = 8,
    path: Path,
    preset: str,
    slots: int | None = None,
    python: str = sys.executable,
    pythonpath: str | None = None,
    timeout_s: float = TIMEOUT_S,
    stop_after_s: float | None = None,
    pairs: Mapping[str, float] | None = None,
    fresh: bool = False,
    since: int = 0,
    commit: str | None = None,
    progress: Progress | None = None,
    script: Path = WORKER,
) -> Generator[Visited, None, None]:
    """Visit what the file at ``path`` does not have yet and yield the rows as they come.

    Each of ``workers`` processes a framework visits every time cell once, one more visits all exact measures. Then come
    the ``parts`` of experiments. Closing the iterator or leaving it by an exception stops all worker processes; a row
    that was finished is in the file.

    Args:
        cells: what to measure; a cell on ``cuda`` is measured on each GPU.
        parts, experiments, data: parts of experiments, the ids of each experiment's cells, and their folder of data.
        workers: processes that time each cell.
        path, preset: the file, and the name that its run gets.
        slots: processes at a time, each on a core of its own; by default one for each available core up to two, but one
            alone where a GPU is measured, since two would share it.
        python, pythonpath, commit: which ``impls`` is measured, and whose it is where it is not this tree's.
        timeout_s: seconds after which a visit is given up.
        stop_after_s: no visit is under way after so many seconds, and the same call goes on from there.
        pairs: goes to ``bench.instruments.timing.rounds``.
        fresh: visit all; since: what the file has before that row does not count.
    """
    began = time.monotonic()
    gpus = machine.visible_gpus()
    cells, parts = on_gpus(cells, range(len(gpus))), list(parts)
    cores, devices = machine.available_cores(), {*(cell.device for cell in cells), *(part.device for part in parts)}
    slots = 1 if any(device.startswith("cuda") for device in devices) else slots or min(2, len(cores))
    launch = Launch(python, script, pythonpath)
    with launch.start() as probe:
        ready = probe.ready
    run = run_row(cells, ready, workers=workers, preset=preset, commit=commit, parts=parts, experiments=experiments)
    notes: list[str] = []
    known = done(path, run, since, notes)
    for note in notes:
        print(note, file=sys.stderr)
    old = set() if fresh else known
    plan = tours(cells, workers, old) + errands(parts, old)
    append(path, run)
    with tempfile.TemporaryDirectory(prefix="gradratio-") as scratch:
        launch = replace(launch, compiled=Path(scratch, "compiled").resolve())
        request = {"scratch": scratch, "pairs": dict(pairs or {}), "data": None if data is None else str(data)}
        limits = Limits(timeout_s, None if stop_after_s is None else began + stop_after_s)
        visits = Visits(launch, run, request, memory_bytes=machine.memory_for(slots), gpus=gpus)
        leader = Leader(visits, path=path, limits=limits, progress=progress)
        yield from leader.lead(plan, [cores[slot % len(cores)] for slot in range(slots)])


def run_row(
    cells: Iterable[Cell],
    ready: Mapping[str, Any],
    *,
    workers: int,
    preset: str,
    commit: str | None = None,
    parts: Iterable[Part] = (),
    experiments: Mapping[str, Iterable[str]] | None = None,
) -> RunRow:
    """The line that says what a run measures, where and with what; ``ready`` is a worker's own word.

    ``experiments``: the ids of each experiment's cells. ``commit`` is that of an ``impls`` from elsewhere than this
    tree, of which ``bench`` alone can then be dirty.
    """
    if commit is not None:
        _, dirty = sources.git(ROOT, ("bench",))
    else:
        commit, dirty = sources.git(ROOT)
        if not (ROOT / "impls").is_dir() or sources.digest(ROOT / "impls") != ready["impls"]:
            commit, dirty = None, True  # the workers measure another impls than this tree's
    fields = {
        "run": secrets.token_hex(6),
        "preset": preset,
        "started": now(),
        "commit": commit,
        "dirty": dirty,
        "impls": ready["impls"],
        "bench": VERSION,
        "versions": ready["versions"],
        "machine": machine.describe(),
        "gpu_driver": machine.gpu_driver(),
        "threads": 1,
        "workers": workers,
        "cells": [cell.id for cell in cells],
    }
    if experiments is not None:
        fields |= {
            "parts": [part.id for part in parts],
            "experiments": {one: [*ids] for one, ids in experiments.items()},
        }
    return made(RunRow, fields)


@dataclass(frozen=True)
class Limits:
    """What a visit may take, and until when visits are begun."""

    timeout_s: float
    """Seconds after which a visit is given up."""
    deadline: float | None = None
    """When to stop, by ``time.monotonic``; a visit that is under way then is cut short and not recorded."""

    @property
    def left_s(self) -> float:
        """Seconds until the deadline."""
        return float("inf") if self.deadline is None else self.deadline - time.monotonic()


@dataclass(frozen=True)
class Seat:
    """A place in a group: how its process is started and for what, whose sources it must measure, and their digest."""

    launch: Launch | Here
    task: Task
    impls: str
    whose: str = "impls"


class Visits:
    """How visits are made: by which processes, with which question, and the row that comes of the answer.

    Here each is one question to a single process. ``bench.gate.turns`` has two, which are asked in turn.

    memory_bytes: the most data memory of a worker process on the cpu. gpus: what ``CUDA_VISIBLE_DEVICES`` calls them.
    """

    gives_up = True
    """Whether a visit that took too much stands for the same one by other workers, and for larger cells."""

    def __init__(
        self,
        launch: Launch | Here,
        run: RunRow,
        request: Mapping[str, Any],
        *,
        memory_bytes: int | None = None,
        gpus: Sequence[str] = (),
    ) -> None:
        self._launch, self._run, self._request = launch, run, request
        self._memory_bytes, self._gpus = memory_bytes, gpus

    def seats(self, visit: Visit) -> Mapping[str, Seat]:
        """The processes of this visit's tour by name, in the order in which they are started."""
        kind, _, index = visit.cell.device.partition(":")
        visible = self._gpus[int(index or 0)] if kind == "cuda" else None
        return {"": Seat(self._launch, Task(visit.measure, visible, self._memory_bytes), self._run.impls)}

    def ask(self, workers: Mapping[str, Worker], visit: Visit, timeout_s: float) -> dict[str, Any]:
        """What came of a visit: status, reason and what was found. ``Lost`` where a process gave no answer."""
        what = "part" if isinstance(visit.cell, Part) else "cell"
        request = {what: visit.cell.as_json(), "measure": visit.measure, "worker": visit.worker, **self._request}
        return workers[""].ask(request, timeout_s)

    def row(self, visit: Visit, answer: Mapping[str, Any], core: int | None, seconds: float) -> Any:
        """The row of a visit."""
        return visit_row(self._run.run, visit, answer, core, seconds)


class Leader:
    """Leads worker processes through a plan, one group of them a tour, and keeps a row of each visit.

    visits: how they are made. path: the file of rows; each row is on the disk before it is handed out.
    """

    def __init__(self, visits: Visits, *, path: Path, limits: Limits, progress: Progress | None = None) -> None:
        self._visits, self._path, self._limits = visits, path, limits
        self._progress = progress or Progress(quiet=True)
        self._given_up: dict[Visit, tuple[str, str]] = {}
        self._live: set[Worker] = set()
        self._lock = threading.Lock()

    def lead(self, plan: Iterable[Tour], cores: Sequence[int]) -> Generator[Any, None, None]:
        """Rows as they come: from one thread for each of ``cores``, which leads one group at a time, or without cores
        from the caller's own. When this ends, however it does, no process is left."""
        plan, self._stopping = deque(plan), threading.Event()
        self._progress.start([visit for tour in plan for visit in tour], max(1, len(cores)))
        out: queue.SimpleQueue[Any] = queue.SimpleQueue()
        threads = [
            threading.Thread(target=self._slot, args=(plan, core, out), daemon=True) for core in cores[: len(plan)]
        ]
        busy = len(threads)
        try:
            if not cores:
                yield from self._tours(plan, None)
            for thread in threads:
                thread.start()
            while busy:
                item = out.get()
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
        self._progress.close()

    @property
    def _over(self) -> bool:
        """Whether no further visit is to be begun, and one that ends now was cut short."""
        return self._stopping.is_set() or self._limits.left_s <= 0

    def _slot(self, plan: deque[Tour], core: int, out: queue.SimpleQueue[Any]) -> None:
        """One thread: hand out the rows of its tours, or the exception that ended them, and then None."""
        try:
            for row in self._tours(plan, core):
                out.put(row)
        except BaseException as error:
            out.put(error)
        finally:
            out.put(None)

    def _tours(self, plan: deque[Tour], core: int | None) -> Iterator[Any]:
        """Take one tour after another until none is left."""
        while not self._over:
            with self._lock:
                if not plan:
                    return
                tour = plan.popleft()
            yield from self._tour(tour, core)

    def _tour(self, tour: Tour, core: int | None) -> Iterator[Any]:
        """Lead one group of processes through a tour, and a new one on from where one was lost."""
        group: dict[str, Worker] = {}
        try:
            for visit in tour:
                skipped = self._skipped(visit)
                if self._over:
                    return
                if skipped is not None:
                    status, reason = skipped
                    yield self._keep(visit, {"status": status, "reason": f"{SKIPPED} {reason}"}, core, None)
                    continue
                if not group:
                    self._start(visit, core, group)
                if self._stopping.is_set():  # it may have come while a process started
                    return
                row, whole = self._visit(group, visit, core)
                if row is not None:
                    yield row
                if not whole:
                    self._end(group)
        finally:
            self._end(group)

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

    def _visit(self, group: Mapping[str, Worker], visit: Visit, core: int | None) -> tuple[Any, bool]:
        """Make one visit: its row, None where it was cut short; and whether the whole group is still there."""
        with self._lock:
            self._progress.begin(visit)
        began, at_start = time.monotonic(), {"started": now(), "load": machine.load()}
        whole = True
        try:
            answer = self._visits.ask(group, visit, max(0.0, min(self._limits.timeout_s, self._limits.left_s)))
        except Lost as lost:
            answer, whole = lost.answer, False
        if not whole and self._over:  # a process stopped from outside says nothing of its cell
            return None, whole
        return self._keep(visit, answer | at_start, core, time.monotonic() - began), whole

    def _keep(self, visit: Visit, answer: dict[str, Any], core: int | None, seconds: float | None) -> Any:
        """The row of a visit, which is on the disk then; ``seconds`` is None where the visit was not made."""
        answer = {"started": now(), "load": machine.load()} | answer
        row = self._visits.row(visit, answer, core, seconds or 0.0)
        with self._lock:
            if seconds is not None and self._visits.gives_up and row.status in GIVE_UP:
                self._given_up[visit] = row.status, row.reason
            append(self._path, row)
            self._progress.finish(visit, seconds)
        return row

    def _start(self, visit: Visit, core: int | None, group: dict[str, Worker]) -> None:
        """New processes for a group, which must measure the sources that the run began with."""
        for name, seat in self._visits.seats(visit).items():
            if self._stopping.is_set():
                return
            group[name] = worker = seat.launch.start(core, seat.task)
            with self._lock:
                self._live.add(worker)
            if worker.ready["impls"] != seat.impls:
                raise RuntimeError(
                    f"The sources of {seat.whose} changed during the run: start it again to measure the new ones."
                )

    def _end(self, group: dict[str, Worker]) -> None:
        """End the processes of a group."""
        while group:
            _, worker = group.popitem()
            with self._lock:
                self._live.discard(worker)
            worker.kill()
