"""How a comparison on a caller's own model is measured: in worker processes, or in this one.

Either way ``bench.run.Leader`` leads the visits, and each visit's row is on the disk once it is known. The model goes
to worker processes by a file; what they answer is below.
"""

from __future__ import annotations

import functools
import io
import os
import pickle
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.cells import Cell
from bench.failures import failure
from bench.instruments import machine, sources, torch_calls
from bench.instruments.timing import processor_clock
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

MODEL, REFERENCE = "model.pickle", "reference.pickle"
"""Names of the files in the scratch folder where workers find the model, and what its gradient is held against."""


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
        own: dict[str, Any] = {"scratch": folder, "paths": [os.path.abspath(one) for one in sys.path]}
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
        made = Made(lambda: question)
        reference = made.reference(steps(cells))

        @functools.lru_cache(maxsize=1)  # one job for both visits: it is compiled once, and gone before the next
        def built(cell: Cell) -> Job:
            return made.job(cell, reference)

        def here(request: Message) -> Message:
            return made.visited(lambda: built(Cell(**request["cell"])), request)

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

    def dumped(given: Any) -> bytes:
        stream = io.BytesIO()
        _pickler(cloudpickle.CloudPickler)(stream).dump(given)
        return stream.getvalue()

    try:
        return dumped(question)
    except Exception:
        named: dict[str, Any] = {"loss": question.loss, "step": question.step, "z0": question.z0}
        named |= {"args" if question.implicit else "params": question.params, "batch": question.batch}
        for name, given in named.items():
            try:
                dumped(given)
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


# The model in a process that visits it --------------------------------------------------------------------------------


class Made:
    """A caller's question and its model, made once in a process. Of a model that does not run each method's row says
    why."""

    def __init__(self, load: Callable[[], Question]) -> None:
        self._broken: Exception | None = None
        try:
            self._question = load()
            self._model = model(self._question)
        except Exception as error:
            self._broken = error

    def reference(self, K: int) -> Reference:
        """What gradients are held against. K: steps of the forward solve."""
        try:
            self._require()
            return reference(self._question, framework_of(self._question.framework), self._model, K)
        except Exception as error:
            return Reference(None, f"No gradient error: {failure(error)[1].removeprefix('Unsuitable: ')}")

    def job(self, cell: Cell, reference: Reference) -> Job:
        """The job of a cell."""
        self._require()
        return job_of(self._question, cell, self._model, reference)

    def visited(self, factory: Callable[[], Job], request: Message) -> Message:
        """What a visit found. Reasons that are whole sentences stand without the name of an exception; notes on missing
        values are the reason of a visit that is ok."""

        def visiting() -> Message:
            cpu_clock = processor_clock(request["cell"]["device"])
            return visit(factory, request["measure"], cpu_clock=cpu_clock, **request["pairs"])

        found = self._model.holding(visiting) if self._broken is None else visiting()
        found["reason"] = found["reason"].removeprefix("Unsuitable: ")
        notes = found["values"].pop("notes", None)
        return plain(found | {"reason": " ".join(notes)} if notes else found)

    def _require(self) -> None:
        if self._broken is not None:
            raise self._broken


def answer(request: Message) -> Message:
    """The answer of a worker process to a request: ``own`` names the scratch folder with the model's file in it, and
    the caller's import path and settings; with a ``cell`` it is visited, without one the reference is computed and
    kept."""
    own, folder = request["own"], Path(request["own"]["scratch"])
    sys.path += [path for path in own["paths"] if path not in sys.path]
    set_settings(own["framework"], own["settings"])
    with torch_calls.apart():
        made = _loaded(folder / MODEL)
        if "cell" not in request:
            keep(folder, made.reference(own["K"]))
            return {}
        cell, reference = Cell(**request["cell"]), pickle.loads((folder / REFERENCE).read_bytes())
        return made.visited(lambda: made.job(cell, reference), request)


def steps(cells: list[Cell]) -> int:
    """The most steps that a forward solve of these cells takes; 1 where there is none."""
    return max((int(cell.options.get("K", 1)) for cell in cells), default=1)


def keep(folder: Path, found: Reference) -> None:
    """Put a reference where the workers look for it, whole or not at all."""
    folder.joinpath(f"made-{REFERENCE}").write_bytes(pickle.dumps(found))
    os.replace(folder / f"made-{REFERENCE}", folder / REFERENCE)


@functools.cache
def _loaded(path: Path) -> Made:
    """The model of a file, once a process."""
    import cloudpickle

    return Made(lambda: cloudpickle.loads(path.read_bytes()))
