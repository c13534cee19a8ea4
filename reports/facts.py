"""The machine and what ran on it, as the page lists them."""

from __future__ import annotations

from math import isnan
from typing import Any

import pandas as pd

from reports.clean import clip
from reports.conditions import who
from reports.load import Results
from reports.numbers import sig, size
from reports.rows import number

MOST_VERSIONS = 24
MOST_STARTS = 6


def facts(results: Results, frame: pd.DataFrame) -> list[tuple[str, str]]:
    """Pairs of a name and a text."""
    run, machine = results.run, results.run["machine"]
    memory = number(machine.get("memory_bytes"))
    starts = [each["started"] for each in results.runs]
    found = [
        ("processor", machine.get("cpu")),
        ("cores", machine.get("cores")),
        ("memory", None if isnan(memory) else size(memory)),
        ("system", machine.get("system")),
        ("GPU", _gpu(machine.get("gpu"))),
        ("threads", run.get("threads")),
        ("worker processes", run.get("workers")),
        *list(run["versions"].items())[:MOST_VERSIONS],
        ("commit", run.get("commit") or "none"),
        ("working tree", "clean" if run.get("dirty") is False else "dirty"),
        ("digest of the methods", run["impls"]),
        ("version of the instruments", run.get("bench")),
        ("preset", ", ".join(dict.fromkeys(str(each.get("preset")) for each in results.runs))),
        ("started", ", ".join(starts[-MOST_STARTS:])),
        ("visits", len(results.visits)),
        ("harness overhead", _overhead(frame)),
        ("read from", ", ".join(results.files)),
    ]
    return [(str(name), clip(str(value), 300)) for name, value in found if value is not None]


def _gpu(gpu: Any) -> str:
    """Name, memory, driver and number of the GPUs."""
    if not isinstance(gpu, dict):
        return str(gpu or "none")
    count, memory = number(gpu.get("count")), number(gpu.get("memory_bytes"))
    many = f"{count:.0f} × " if count > 1 else ""
    driver = f", driver {gpu['driver']}" if gpu.get("driver") else ""
    return f"{many}{gpu.get('name')}{'' if isnan(memory) else f', {size(memory)}'}{driver}"


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
