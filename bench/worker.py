"""The worker process: reads one JSON request a line from stdin, makes the visit, and answers with one JSON line on
stdout.

Started by file path, ``python -P bench/worker.py [CORE]``, so that neither this folder nor the repository
root is on the import path: ``bench`` is loaded from where this file lies, ``impls`` comes from the
interpreter or ``PYTHONPATH``. So modules of ``bench`` are imported inside functions.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import importlib.util
import json
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

if TYPE_CHECKING:
    from bench.experiments.catalog import Place
    from bench.plan import Part

Message = dict[str, Any]


# One visit, and one part of an experiment -----------------------------------------------------------------------------


class Measurable(Protocol):
    """What a visit measures: a subject under a method, as ``bench.job.Job`` is one."""

    @property
    def sizes(self) -> Mapping[str, Any]:
        """All sizes of the problem, defaults filled in."""

    def forward(self) -> Any:
        """Evaluate the loss, with no gradient recorded."""

    def gradient(self) -> Any:
        """Evaluate the loss and its gradient."""

    def sync(self, result: Any) -> Any:
        """Wait until the device has finished ``result``."""

    def check(self) -> float | None:
        """Deviation of the gradient from its oracle, None where there are no numbers; raises ``Wrong`` or
        ``Diverged``."""

    def exact(self) -> dict[str, Any]:
        """Values of an exact visit."""

    def values(self) -> dict[str, Any]:
        """Values of a time visit that building the cell gave."""


def visit(
    build: Callable[[], Measurable],
    measure: str,
    *,
    clock: Callable[[], float] = time.perf_counter,
    cpu_clock: Callable[[], float] | None = None,
    visible_gpu: str | None = None,
    **pairs: Any,
) -> Message:
    """Build a cell, check its gradient against the oracle, and only then measure it.

    Nothing that goes wrong with a cell is raised: it becomes a status.

    Args:
        build: makes what is measured.
        measure: ``time`` or ``exact``.
        clock, cpu_clock: seconds, and those of the processor, see ``bench.instruments.timing.processor_clock``.
        visible_gpu: the GPU whose clock is looked at.
        pairs: goes to ``bench.instruments.timing.rounds``.

    Returns:
        Status and reason, samples, values, conditions, and all sizes of the problem.
    """
    from bench.failures import failure
    from bench.instruments.machine import Watch
    from bench.instruments.timing import overhead, rounds

    answer: Message = {"status": "ok", "reason": "", "samples": {}, "values": {}}
    try:
        job = build()
        answer["sizes"] = dict(job.sizes)
        deviation = job.check()  # right before fast: a wrong gradient is never measured
        if measure == "time":
            found = {**job.values(), "overhead_s": overhead(job.sync, clock)}
            forward, gradient = job.forward, job.gradient
            job.sync(forward())  # compiled here, before anything is watched
            with Watch(visible_gpu) as watch:
                calls = {"forward": forward, "gradient": gradient}
                taken = rounds(calls, sync=job.sync, clock=clock, cpu_clock=cpu_clock, **pairs)
            answer["samples"] = {f"{name}_s": one.wall for name, one in taken.items()}
            if all(min(one.cpu, default=0.0) > 0 for one in taken.values()):  # else its steps are too coarse
                answer["samples"] |= {f"{name}_cpu_s": one.cpu for name, one in taken.items()}
            answer["conditions"] = watch.found
        elif measure == "exact":
            found = job.exact()
        else:
            raise ValueError(f"No measure {measure!r}: known are time and exact.")
        answer["values"] = {**found, "oracle_deviation": deviation}
    except Exception as error:
        answer["status"], answer["reason"] = failure(error)
    return answer


def perform(part: Part, place: Place, *, visible_gpu: str | None = None) -> Message:
    """Run one part of an experiment; what goes wrong becomes a status, as in a visit.

    Returns:
        Status and reason, conditions, and records, each a flat table of numbers and texts.
    """
    from bench.experiments.catalog import experiment
    from bench.failures import failure
    from bench.instruments.machine import Watch

    answer: Message = {"status": "ok", "reason": "", "records": []}
    try:
        with Watch(visible_gpu) as watch:
            records = experiment(part.experiment).perform(part, place)
        for name, value in (one for record in records for one in record.items()):
            if isinstance(value, list | tuple | dict):
                what = type(value).__name__
                raise TypeError(f"The record's {name!r} is a {what}: a table has one number or text a field.")
        answer["records"], answer["conditions"] = records, watch.found
    except Exception as error:
        answer["status"], answer["reason"] = failure(error)
    return answer


# Requests and their answers ------------------------------------------------------------------------------------------


def answer(request: Message) -> Message:
    """The answer to a request: the cell that it names is visited, or the part of an experiment performed; the gate asks
    for turns, and a caller for a visit of its own model."""
    from bench.rows import plain

    if "live" in request:
        return prepared()(request)
    if "own" in request:
        from bench.own.measured import answer

        return answer(request)
    kind = "part" if "part" in request else "cell"
    gpu = os.environ.get("CUDA_VISIBLE_DEVICES") if request[kind]["device"].startswith("cuda") else None
    if kind == "part":
        from bench.experiments.catalog import Place
        from bench.plan import Part

        place = Place(Path(request["scratch"]), Path(request["data"]) if request.get("data") else None)
        return plain(perform(Part(**request["part"]), place, visible_gpu=gpu))
    from bench.cells import Cell
    from bench.instruments.timing import processor_clock
    from bench.subjects import build

    cell = Cell(**request["cell"])
    settle(cell.framework)
    clock, scratch = processor_clock(cell.device), Path(request["scratch"])
    return plain(
        visit(lambda: build(cell, scratch), request["measure"], cpu_clock=clock, visible_gpu=gpu, **request["pairs"])
    )


@functools.cache
def prepared() -> Callable[[Message], Message]:
    """The one cell of this process that the gate keeps built."""
    from bench.gate.turns import Prepared

    return Prepared()


@functools.cache
def settle(framework: str) -> None:
    """Import a framework and take its objects out of the garbage collector's sight: they live as long as this process,
    and looking through them takes most of a second in an exact visit, which collects six times."""
    with contextlib.suppress(ImportError):  # the visit says so
        importlib.import_module(framework)
    gc.collect()
    gc.freeze()


# The process ---------------------------------------------------------------------------------------------------------


def claim_stdout() -> TextIO:
    """The real stdout, for answers alone; whatever else prints from now on goes to stderr."""
    real = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return real


def load_bench() -> None:
    """Make ``import bench`` mean the package that this file lies in, with nothing put on the import path."""
    folder = Path(__file__).resolve().parent
    spec = importlib.util.spec_from_file_location(
        "bench", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["bench"] = module
    spec.loader.exec_module(module)


def pin(core: int) -> None:
    """Stay on one core, where the system allows it; before a library starts threads, which inherit it."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})


def limit_memory() -> None:
    """Let an allocation beyond ``GRADRATIO_MEMORY_BYTES`` fail here, before the system runs out of memory and picks a
    victim."""
    most = os.environ.get("GRADRATIO_MEMORY_BYTES")
    if most and sys.platform == "linux":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (int(most), hard))


def say(out: TextIO, message: Message) -> None:
    """Write one message as one line."""
    out.write(json.dumps(message, allow_nan=False) + "\n")
    out.flush()


def ready() -> Message:
    """The first message: which ``impls`` and which versions this process measures."""
    from bench.instruments import machine, sources

    try:
        return {"ready": True, "impls": sources.impls_digest(), "versions": machine.versions()}
    except LookupError as error:
        return {"ready": False, "reason": str(error)}


def serve(handle: Callable[[Message], Message], out: TextIO) -> None:
    """Answer requests one after another until stdin ends, which it also does when the parent dies.

    A thread of its own reads stdin, so that the process ends at once even in the middle of a visit: no
    orphans.
    """
    requests: queue.SimpleQueue[Message] = queue.SimpleQueue()

    def listen() -> None:
        for line in sys.stdin.buffer:
            requests.put(json.loads(line))
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    while True:
        say(out, handle(requests.get()))


def main() -> None:
    """Start up, say so, and serve."""
    out = claim_stdout()
    if len(sys.argv) > 1:
        pin(int(sys.argv[1]))
    limit_memory()
    load_bench()
    say(out, ready())
    serve(answer, out)


if __name__ == "__main__":
    main()
