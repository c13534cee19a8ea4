"""The worker process: reads one JSON job a line from stdin and answers one JSON line a visit on stdout.

Started by file path, ``python -P bench/worker.py [CORE]``, so that neither this folder nor the repository
root is on the import path: ``bench`` is loaded from where this file lies, ``impls`` comes from the
interpreter or ``PYTHONPATH``.
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
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

Message = dict[str, Any]


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


def part(job: Message) -> Message:
    """Perform the part of an experiment that a job names."""
    from bench.experiments.catalog import Place
    from bench.experiments.perform import perform
    from bench.plan import Part
    from bench.rows import plain

    one = Part(**job["part"])
    gpu = os.environ.get("CUDA_VISIBLE_DEVICES") if one.device.startswith("cuda") else None
    place = Place(Path(job["scratch"]), Path(job["data"]) if job.get("data") else None)
    return plain(perform(one, place, visible_gpu=gpu))


def own(job: Message) -> Message:
    """Visit a method on a model of the caller's own, or compute that model's reference."""
    from bench.own.measured import answer

    return answer(job)


def abilities(framework: str) -> Message:
    """Try what each method can do in a framework."""
    from bench.capabilities.measure import measure
    from bench.failures import failure

    try:
        found = measure(framework)
    except Exception as error:  # none of a method's own, which is an outcome
        status, reason = failure(error)
        return {"status": status, "reason": reason}
    plain = {method: {name: asdict(one) for name, one in tried.items()} for method, tried in found.items()}
    return {"status": "ok", "reason": "", "found": plain}


def answer(job: Message) -> Message:
    """Visit the cell that a job names, perform a part of an experiment, take the turn that the gate asks for, see to a
    model of the caller's own, or try what each method can do."""
    if "live" in job:
        return prepared()(job)
    if "own" in job:
        return own(job)
    if "part" in job:
        return part(job)
    if "abilities" in job:
        return abilities(job["abilities"])
    from bench.cells import Cell
    from bench.rows import plain
    from bench.subjects import build
    from bench.visit import visit

    cell = Cell(**job["cell"])
    settle(cell.framework)
    gpu = os.environ.get("CUDA_VISIBLE_DEVICES") if cell.device.startswith("cuda") else None
    found = visit(lambda: build(cell, Path(job["scratch"])), job["measure"], visible_gpu=gpu, **job["pairs"])
    return plain(found)


def serve(handle: Callable[[Message], Message], out: TextIO) -> None:
    """Answer jobs one after another until stdin ends, which it also does when the parent dies.

    A thread of its own reads stdin, so that the process ends at once even in the middle of a visit: no
    orphans.
    """
    jobs: queue.SimpleQueue[Message] = queue.SimpleQueue()

    def listen() -> None:
        for line in sys.stdin.buffer:
            jobs.put(json.loads(line))
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    while True:
        say(out, handle(jobs.get()))


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
