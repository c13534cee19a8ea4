"""Measures cells in worker processes and yields one row a visit, each on the disk before it is yielded."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Generator, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from bench import store
from bench.cells import Cell, on_gpus
from bench.crew import Crew, Limits
from bench.instruments import machine
from bench.part import Part
from bench.plan import errands, tours
from bench.processes import Launch, Worker
from bench.progress import Progress
from bench.rows import run_row
from bench.store import Row

WORKER = Path(__file__).resolve().parent / "worker.py"
TIMEOUT_S = 300.0
"""Seconds after which a visit is given up, unless said otherwise."""


def measure(
    cells: Iterable[Cell],
    *,
    parts: Iterable[Part] = (),
    experiments: Mapping[str, Iterable[str]] | None = None,
    data: Path | None = None,
    share_compiled: bool = False,
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
) -> Generator[Row, None, None]:
    """Visit what the file at ``path`` does not have yet and yield the rows as they come (``fresh``: visit all;
    ``since``: what the file has before that row does not count).

    Each of ``workers`` processes a framework visits every time cell once, one more visits all exact measures.
    At most ``slots`` processes run at a time, by default one for each available core up to two, each on a
    core of its own; but one alone where a GPU is measured, since two would share it. ``python`` and ``pythonpath``
    decide which ``impls`` is measured, and ``commit`` says whose it is where it is not this tree's. ``pairs`` goes to
    ``paired``. Then come the ``parts`` of experiments; ``data`` is a folder of data for them. With ``share_compiled``
    one jax process compiles what the others load, and no compile time is known. After ``stop_after_s`` seconds no visit
    is under way, and the same call goes on from there. Closing the iterator or leaving it by an exception stops all
    worker processes; a row that was finished is in the file.
    """
    began = time.monotonic()
    gpus = machine.visible_gpus()
    cells, parts = on_gpus(cells, range(len(gpus))), list(parts)
    cores, devices = machine.available_cores(), {*(cell.device for cell in cells), *(part.device for part in parts)}
    slots = 1 if any(device.startswith("cuda") for device in devices) else slots or min(2, len(cores))
    launch = Launch(python, script, pythonpath)
    with Worker(launch) as probe:
        ready = probe.ready
    run = run_row(cells, ready, workers=workers, preset=preset, commit=commit, parts=parts, experiments=experiments)
    notes: list[str] = []
    known = store.done(path, run, since, notes)
    for note in notes:
        print(note, file=sys.stderr)
    made = set() if fresh else known
    plan = tours(cells, workers, made) + errands(parts, made)
    store.append(path, run)
    progress = progress or Progress(quiet=True)
    progress.start([visit for tour in plan for visit in tour], slots)
    with tempfile.TemporaryDirectory(prefix="gradratio-") as scratch:
        if share_compiled:
            launch = replace(launch, compiled=Path(scratch, "compiled").resolve())
        job = {"scratch": scratch, "pairs": dict(pairs or {}), "data": None if data is None else str(data)}
        limits = Limits(timeout_s, machine.memory_for(slots), None if stop_after_s is None else began + stop_after_s)
        crew = Crew(launch, run, plan, path=path, job=job, limits=limits, gpus=gpus, progress=progress)
        yield from crew.work([cores[slot % len(cores)] for slot in range(min(slots, len(plan)))])
    progress.close()
