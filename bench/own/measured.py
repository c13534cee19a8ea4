"""How a comparison on a caller's own model is measured: in worker processes, or in this one.

Either way ``bench.run.Leader`` leads the visits, and each visit's row is on the disk once it is known. The model goes
to worker processes by a file; what they answer is below.
"""

from __future__ import annotations

import functools
import io
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from bench.cells import Cell
from bench.failures import failure
from bench.instruments import machine, sources, torch_calls
from bench.job import Job, framework_of
from bench.own.model import model
from bench.own.question import Question, set_settings
from bench.own.references import Reference, reference
from bench.own.subject import job_of
from bench.plan import Visit, shuffled
from bench.processes import Here, Launch, Lost, Task
from bench.rows import RunRow, Visited, append, plain
from bench.run import Leader, Limits, Visits, run_row
from bench.worker import visit

Message = dict[str, Any]

MODEL, REFERENCE = "model.pickle", "reference.npz"
"""Names of the files in the scratch folder where workers find the model, and the gradient that all are held against."""


def in_processes(
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
        launch, task = Launch(), Task("exact", memory_bytes=machine.memory_for(slots))
        own: dict[str, Any] = {"scratch": folder, "model": MODEL, "paths": [os.path.abspath(one) for one in sys.path]}
        own |= {"framework": question.framework, "settings": question.settings, "K": steps(cells)}
        with launch.start(cores[0], task) as worker:  # it ends with this, by Ctrl-C in a notebook too
            run = run_row(cells, worker.ready, workers=workers, preset="own")
            try:
                worker.ask({"own": own}, timeout_s)
            except Lost as lost:
                keep(scratch, Reference(None, f"No gradient error: the float64 reference came to {lost.reason}."))
        append(path, run)
        request: dict[str, Any] = {"own": own, "pairs": {"budget_s": budget_s}}
        visits = Visits(launch, run, request, memory_bytes=task.memory_bytes)
        leader = Leader(visits, path=path, limits=Limits(timeout_s))
        return [run, *led(leader, cells, workers, cores[:slots])]


def in_this_process(question: Question, cells: list[Cell], *, budget_s: float, path: Path) -> list[RunRow | Visited]:
    """The same by one exact and one time visit of every method in this process, whose state is put back afterwards. One
    process gives no interval, and nothing stops a method that hangs."""
    ready = {"impls": sources.impls_digest(), "versions": machine.versions()}
    run = run_row(cells, ready, workers=1, preset="own")
    append(path, run)
    with _undisturbed():
        try:
            taken = model(question)
            reference = referred(question, taken, steps(cells))
        except Exception as error:  # the model does not run: each method's row says why
            taken, reference, broken = None, Reference(None), error

        @functools.lru_cache(maxsize=1)  # one job for both visits: it is compiled once, and gone before the next
        def built(cell: Cell) -> Job:
            if taken is None:
                raise broken
            return job_of(question, cell, taken, reference)

        def here(request: Message) -> Message:
            return plain(visited(lambda: built(Cell(**request["cell"])), request["measure"], request["pairs"], taken))

        visits = Visits(Here(here, ready), run, {"pairs": {"budget_s": budget_s}})
        leader = Leader(visits, path=path, limits=Limits(float("inf")))
        return [run, *(row for cell in cells for row in led(leader, [cell], 1, cores=()))]


def led(leader: Leader, cells: Sequence[Cell], workers: int, cores: Sequence[int]) -> list[Visited]:
    """The rows of every method's exact visit, and of the time visits of those that came out well."""
    exact = list(leader.lead([tuple(Visit(cell, "exact", 0) for cell in cells)], cores))
    good = {row.cell for row in exact if row.status == "ok"}
    timed = [cell for cell in cells if cell.id in good]
    return [*exact, *leader.lead([shuffled(timed, index) for index in range(workers)] if timed else [], cores)]


@contextmanager
def _undisturbed() -> Iterator[None]:
    """torch's threads, generator and compiled code are the caller's again afterwards; measuring takes one thread."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    try:
        with torch_calls.apart():
            yield
    finally:
        torch.set_num_threads(threads)
        torch.set_rng_state(state)


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


# In worker processes: their side ------------------------------------------------------------------------------------


def answer(request: Message) -> Message:
    """The answer to a request of a worker: ``own`` names the scratch folder, the model's file in it and the caller's
    import path; with a ``cell`` it is visited, without one the reference is computed and kept."""
    own, folder = request["own"], Path(request["own"]["scratch"])
    for path in own["paths"]:
        if path not in sys.path:
            sys.path.append(path)
    set_settings(own["framework"], own["settings"])
    with torch_calls.apart():
        try:
            taken = _loaded(folder / own["model"])[1]
        except Exception:  # the row says why
            taken = None
        if "cell" not in request:
            return _refer(folder, own["model"], own["K"])
        cell = Cell(**request["cell"])
        return plain(visited(lambda: _job(folder, own["model"], cell), request["measure"], request["pairs"], taken))


def visited(factory: Any, measure: str, pairs: Message, taken: Any) -> Message:
    """What a visit found of the model ``taken``, None where it does not run. Reasons that are whole sentences stand
    without the name of an exception; notes on missing values are the reason of a visit that is ok."""
    found = (
        visit(factory, measure, **pairs) if taken is None else taken.holding(lambda: visit(factory, measure, **pairs))
    )
    found["reason"] = found["reason"].removeprefix("Unsuitable: ")
    notes = found["values"].pop("notes", None)
    return found | {"reason": " ".join(notes)} if notes else found


def referred(question: Question, taken: Any, K: int) -> Reference:
    """The reference of a model that runs."""
    return reference(question, framework_of(question.framework), taken, K)


def steps(cells: list[Cell]) -> int:
    """The most steps that a forward solve of these cells takes; 1 where there is none."""
    return max((int(cell.options.get("K", 1)) for cell in cells), default=1)


def keep(folder: Path, found: Reference) -> None:
    """Put a reference where the workers look for it, whole or not at all."""
    gradient = np.zeros(0) if found.gradient is None else found.gradient
    made, others = folder / f"made-{REFERENCE}", asdict(found) | {"gradient": gradient}
    np.savez(made, **others)
    os.replace(made, folder / REFERENCE)


def _refer(folder: Path, name: str, K: int) -> Message:
    try:
        question, taken = _loaded(folder / name)
        found = referred(question, taken, K)
    except Exception as error:  # of a model that does not run at all: each method's row will say why
        found = Reference(None, f"No gradient error: {failure(error)[1].removeprefix('Unsuitable: ')}")
    keep(folder, found)
    return {"note": found.note}


def _job(folder: Path, name: str, cell: Cell) -> Job:
    question, taken = _loaded(folder / name)
    with np.load(folder / REFERENCE) as kept:
        gradient = kept["gradient"] if kept["gradient"].size else None
        found = {name: kept[name].item() for name in kept.files if name != "gradient"}
    return job_of(question, cell, taken, Reference(gradient, **found))


@functools.cache
def _loaded(path: Path) -> tuple[Question, Any]:
    """The question of a file and its model, once a process."""
    import cloudpickle

    question = cloudpickle.loads(path.read_bytes())
    return question, model(question)
