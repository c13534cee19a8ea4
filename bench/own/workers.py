"""The caller's side with worker processes: the model goes to them by a file, and a row comes back for each visit."""

from __future__ import annotations

import io
import os
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.cells import Cell
from bench.instruments import machine
from bench.own import serve
from bench.own.question import Question
from bench.own.references import Reference
from bench.plan import Tour, Visit
from bench.processes import Launch, Lost, Task, Worker
from bench.rows import RunRow, Visited, append
from bench.run import WORKER, Leader, Limits, Visits, run_row

MODEL = "model.pickle"


def measured(
    question: Question, cells: list[Cell], *, workers: int, budget_s: float, timeout_s: float, path: Path
) -> list[RunRow | Visited]:
    """All rows of the comparison, each in the file at ``path`` as soon as it is known.

    One process computes the reference, one makes every exact visit, and each of ``workers`` further ones, two at a
    time, times every method that came out well, in an order of its own. Raises ``ValueError`` for a model that cannot
    be sent to a process.
    """
    with tempfile.TemporaryDirectory(prefix="gradratio-") as folder:
        scratch = Path(folder)
        scratch.joinpath(MODEL).write_bytes(pickled(question))
        cores = machine.available_cores()
        slots = min(2, len(cores), workers)
        launch, task = Launch(sys.executable, WORKER), Task("exact", None, machine.memory_for(slots))
        own: dict[str, Any] = {"scratch": folder, "model": MODEL, "paths": [os.path.abspath(one) for one in sys.path]}
        own |= {"framework": question.framework, "settings": question.settings, "K": serve.steps(cells)}
        with Worker(launch, cores[0], task) as worker:  # it ends with this, by Ctrl-C in a notebook too
            run = run_row(cells, worker.ready, workers=workers, preset="own")
            try:
                worker.ask({"own": own}, timeout_s)
            except Lost as lost:
                serve.keep(scratch, Reference(None, f"No gradient error: the float64 reference came to {lost.reason}."))
        append(path, run)

        def led(plan: list[Tour]) -> list[Visited]:
            job: dict[str, Any] = {"own": own, "pairs": {"budget_s": budget_s}}
            visits = Visits(launch, run, job, memory_bytes=task.memory_bytes)
            return list(Leader(visits, path=path, limits=Limits(timeout_s)).lead(plan, cores[:slots]))

        exact = led([tuple(Visit(cell, "exact", 0) for cell in cells)])
        good = {row.cell for row in exact if row.status == "ok"}
        tours = [[Visit(cell, "time", index) for cell in cells if cell.id in good] for index in range(workers)]
        for index, tour in enumerate(tours):
            random.Random(index).shuffle(tour)  # so that no method always comes first
        return [run, *exact, *led([tuple(tour) for tour in tours if tour])]


def pickled(question: Question) -> bytes:
    """The model as bytes; ``ValueError`` that names what cannot be sent."""
    import cloudpickle

    def dumped(part: Any) -> bytes:
        stream = io.BytesIO()
        _pickler(cloudpickle.CloudPickler)(stream).dump(part)
        return stream.getvalue()

    try:
        return dumped(question)
    except Exception:
        parts: dict[str, Any] = {"loss": question.loss, "step": question.step, "z0": question.z0}
        parts |= {"args" if question.implicit else "params": question.params, "batch": question.batch}
        for name, part in parts.items():
            try:
                dumped(part)
            except Exception as error:
                raise ValueError(
                    f"{name} cannot be sent to a worker process ({type(error).__name__}: {error}): take out of it what "
                    "cannot be pickled, or set workers=0 to measure in this process, without an interval."
                ) from error
        raise


def _pickler(base: Any) -> Any:
    """A pickler that refuses a module compiled in place: torch sends it uncompiled, without a word."""

    class Pickler(base):
        def reducer_override(self, one: Any) -> Any:
            if getattr(one, "_compiled_call_impl", None) is not None:
                raise TypeError(f"{type(one).__name__}.compile() is lost on the way: take torch.compile(module)")
            return super().reducer_override(one)

    return Pickler
