"""The machine and what ran on it, as the page lists them."""

from __future__ import annotations

from math import isnan

import pandas as pd

from bench.rows import Gpu
from reports.conditions import who
from reports.load import Results
from reports.numbers import clip, number, sig, size

MOST_VERSIONS = 24
MOST_STARTS = 6


def facts(results: Results, frame: pd.DataFrame) -> list[tuple[str, str]]:
    """Pairs of a name and a text."""
    run, machine = results.run, results.run.machine
    memory = number(machine.memory_bytes)
    starts = [each.started for each in results.runs]
    found = [
        ("processor", machine.cpu),
        ("cores", machine.cores),
        ("memory", None if isnan(memory) else size(memory)),
        ("system", machine.system),
        ("GPU", _gpu(machine.gpu, run.gpu_driver)),
        ("threads", run.threads),
        ("worker processes", run.workers),
        *list(run.versions.items())[:MOST_VERSIONS],
        ("commit", run.commit or "none"),
        ("working tree", "clean" if run.dirty is False else "dirty"),
        ("digest of the methods", run.impls),
        ("version of the instruments", run.bench),
        ("preset", ", ".join(dict.fromkeys(str(each.preset) for each in results.runs))),
        ("started", ", ".join(starts[-MOST_STARTS:])),
        ("visits", len(results.visits)),
        ("harness overhead", _overhead(frame)),
        ("read from", ", ".join(results.files)),
    ]
    return [(str(name), clip(str(value), 300)) for name, value in found if value is not None]


def _gpu(gpu: Gpu | str | None, driver: str | None) -> str:
    """Name, memory, driver and number of the GPUs."""
    if not isinstance(gpu, Gpu):
        return gpu or "none"
    many = f"{gpu.count} × " if gpu.count and gpu.count > 1 else ""
    memory = "" if gpu.memory_bytes is None else f", {size(gpu.memory_bytes)}"
    return f"{many}{gpu.name}{memory}{f', driver {driver}' if driver else ''}"


def _overhead(frame: pd.DataFrame) -> str | None:
    """Seconds of an empty timed call, and the largest share that it has of a forward; ``None`` where not measured."""
    known = frame[frame["overhead_share"].notna()]
    if known.empty:
        return None
    worst = known.loc[known["overhead_share"].idxmax()].to_dict()
    return (
        f"median {sig(known['overhead_s'].median() * 1e6)} µs a timed call; at most "
        f"{sig(100 * worst['overhead_share'])} % of a forward ({who(worst)})"
    )
