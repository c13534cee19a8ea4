"""Where the time of a compiled jax call goes, by jax's own profiler: the time of each kind of HLO instruction.

A kind is an instruction's name without its number, such as ``dot`` or ``broadcast_add_fusion``: what XLA fused shows as
one. A loop's own time is without that of its body. What is left of the call is the runtime between instructions and the
way from Python and back.
"""

from __future__ import annotations

import gzip
import json
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.instruments.profiled import Kind, Profile
from bench.instruments.profiled import profile as profiled

Event = Mapping[str, Any]

UNTIMED = "This jax's trace names no instruction on this device: instructions of the program are counted instead."
_NUMBER = re.compile(r"(\.(\d+|clone|remat\d*))+$")
_INSTRUCTION = re.compile(r"^\s+(?:ROOT )?%?[\w.-]+ = .*? ([a-z][\w-]*)\(", re.MULTILINE)


def profile(fn: Any, sync: Callable[[Any], Any], calls: int) -> Profile:
    """One call of ``fn`` on average over ``calls``, after one to warm it up; where the trace has no instructions, how
    many of each kind the compiled program ``fn.compiled`` holds, a loop's body once."""
    import jax

    sync(fn())
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder):
            started = time.perf_counter()
            for _ in range(calls):
                sync(fn())
            seconds = time.perf_counter() - started
        traces = sorted(Path(folder).rglob("*.trace.json.gz"))
        events = [one for path in traces for one in json.loads(gzip.decompress(path.read_bytes()))["traceEvents"]]
    found = list(instructions(events))
    return profiled(found, seconds, calls) if found else counted(fn.compiled.as_text())


def instructions(events: Iterable[Event]) -> Iterator[tuple[str, int, float]]:
    """Kind, 1 and own seconds of every instruction that ran, from a trace's events, which nest within a thread."""
    threads: dict[Any, list[Event]] = {}
    for one in events:
        if one.get("ph") == "X" and "hlo_op" in one.get("args", {}):
            threads.setdefault((one["pid"], one["tid"]), []).append(one)
    for own in threads.values():
        open_: list[list[Any]] = []  # end, kind and own microseconds of the instructions around this one
        for one in sorted(own, key=lambda one: (one["ts"], -one["dur"])):
            while open_ and open_[-1][0] <= one["ts"]:
                yield _closed(open_.pop())
            if open_:
                open_[-1][2] -= one["dur"]
            open_.append([one["ts"] + one["dur"], kind(one["args"]["hlo_op"]), one["dur"]])
        while open_:
            yield _closed(open_.pop())


def _closed(one: list[Any]) -> tuple[str, int, float]:
    _, name, own = one
    return name, 1, 1e-6 * max(0.0, own)


def kind(name: str) -> str:
    """An instruction's name without what the compiler added to tell it from others."""
    return _NUMBER.sub("", name.lstrip("%"))


def counted(text: str) -> Profile:
    """The instructions of a program's text, the most frequent first, with no times."""
    found = Counter(_INSTRUCTION.findall(text))
    kinds = sorted(found.items(), key=lambda one: (-one[1], one[0]))
    return Profile(tuple(Kind(name, count, None) for name, count in kinds), None, UNTIMED)
