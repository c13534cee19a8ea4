"""Where the time of a call goes, by the framework's own profiler: the share of each kind of operation, as a table.

In torch a kind is an operation such as ``aten::mm``, whose own time is its kernel's and its dispatch, without the
operations that it calls; what is left of the call is Python and autograd's engine. The profiler makes every operation
about a microsecond dearer, small ones relatively most. In jax a kind is an HLO instruction's name without its number,
such as ``dot`` or ``broadcast_add_fusion``: what XLA fused shows as one, and a loop's own time is without that of its
body; what is left is the runtime between instructions and the way from Python and back.
"""

from __future__ import annotations

import gzip
import json
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import tables
from bench.instruments.torch_calls import profiled

Event = Mapping[str, Any]

TOP = 12
"""Kinds of operation that have a line of their own."""

UNTIMED = "This jax's trace names no instruction on this device: instructions of the program are counted instead."
_NUMBER = re.compile(r"(\.(\d+|clone|remat\d*))+$")
_INSTRUCTION = re.compile(r"^\s+(?:ROOT )?%?[\w.-]+ = .*? ([a-z][\w-]*)\(", re.MULTILINE)


@dataclass(frozen=True)
class Kind:
    """One kind of operation within one call. calls: how many ran. seconds: spent in them and in nothing they call; None
    where the profile has no times."""

    name: str
    calls: float
    seconds: float | None


@dataclass(frozen=True)
class Profile:
    """One call. seconds: all of it, with the profiler's own cost, so that shares alone mean something; None where there
    are no times. note: a sentence on what is missing."""

    kinds: tuple[Kind, ...]
    seconds: float | None
    note: str = ""

    @property
    def outside(self) -> float | None:
        """Seconds outside operations: Python, dispatch, autograd's engine, the runtime."""
        if self.seconds is None:
            return None
        return max(0.0, self.seconds - sum(kind.seconds or 0.0 for kind in self.kinds))


def in_torch(fn: Callable[[], Any], sync: Callable[[Any], Any], calls: int) -> Profile:
    """One eager call of ``fn`` on average over ``calls``, after one to warm it up."""
    sync(fn())
    with profiled() as watch:
        started = time.perf_counter()
        for _ in range(calls):
            sync(fn())
        seconds = time.perf_counter() - started
    found = [(one.key, one.count, 1e-6 * one.self_cpu_time_total) for one in watch.key_averages()]
    return averaged((one for one in found if _is_operation(one[0])), seconds, calls)


def in_jax(fn: Any, sync: Callable[[Any], Any], calls: int) -> Profile:
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
    return averaged(found, seconds, calls) if found else counted(fn.compiled.as_text())


PROFILERS = {"torch": in_torch, "jax": in_jax}
"""What profiles a call of each framework."""


def averaged(times: Iterable[tuple[str, int, float]], seconds: float, calls: int) -> Profile:
    """The profile of one of so many calls, from ``(name, count, seconds)`` of all of them; the dearest kind first."""
    found: dict[str, tuple[int, float]] = {}
    for name, count, spent in times:
        before = found.get(name, (0, 0.0))
        found[name] = before[0] + count, before[1] + spent
    kinds = [Kind(name, count / calls, spent / calls) for name, (count, spent) in found.items()]
    return Profile(tuple(sorted(kinds, key=lambda kind: (-(kind.seconds or 0), kind.name))), seconds / calls)


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


def kind(name: str) -> str:
    """An instruction's name without what the compiler added to tell it from others."""
    return _NUMBER.sub("", name.lstrip("%"))


def counted(text: str) -> Profile:
    """The instructions of a program's text, the most frequent first, with no times."""
    found = Counter(_INSTRUCTION.findall(text))
    kinds = sorted(found.items(), key=lambda one: (-one[1], one[0]))
    return Profile(tuple(Kind(name, count, None) for name, count in kinds), None, UNTIMED)


def table(gradient: Profile, forward: Profile) -> str:
    """Kinds of operation in both calls, the gradient's dearest first: share of the call's time, number, and the time in
    units of one profiled forward, whose sum is R as the profiler sees it."""
    if gradient.seconds is None or forward.seconds is None:
        return _counts(gradient, forward)
    others = {kind.name: kind for kind in forward.kinds}
    shown, rest = gradient.kinds[:TOP], gradient.kinds[TOP:]
    left = [kind for name, kind in others.items() if name not in {kind.name for kind in shown}]
    pairs: list[tuple[str, Kind | None, Kind | None]] = [(kind.name, kind, others.get(kind.name)) for kind in shown]
    if rest or left:
        pairs.append(("other operations", _sum(rest), _sum(left)))
    pairs.append(("outside operations", Kind("", 0, gradient.outside), Kind("", 0, forward.outside)))
    pairs.append(("all", Kind("", 0, gradient.seconds), Kind("", 0, forward.seconds)))
    lines = [("kind", "of gradient", "calls", "in forwards", "of forward", "calls")]
    for name, one, other in pairs:
        spent = "" if one is None else f"{(one.seconds or 0) / forward.seconds:.2f}"
        lines.append((name, *_words(one, gradient.seconds), spent, *_words(other, forward.seconds)))
    return "\n".join(tables.text(lines))


def _counts(gradient: Profile, forward: Profile) -> str:
    """The same without times."""
    others: Mapping[str, Kind] = {kind.name: kind for kind in forward.kinds}
    names = dict.fromkeys(kind.name for kind in (*gradient.kinds, *forward.kinds))
    own = {kind.name: kind for kind in gradient.kinds}
    lines = [["kind", "gradient", "forward"]]
    lines += [[name, *(f"{side[name].calls:g}" if name in side else "" for side in (own, others))] for name in names]
    text = "\n".join(tables.text(lines))
    return f"{gradient.note or forward.note}\n\n{text}"


def _sum(kinds: Sequence[Kind]) -> Kind | None:
    if not kinds:
        return None
    return Kind("", sum(kind.calls for kind in kinds), sum(kind.seconds or 0.0 for kind in kinds))


def _words(kind: Kind | None, whole: float) -> tuple[str, str]:
    """Share of the whole and number; nothing where there is none."""
    if kind is None:
        return "", ""
    return f"{(kind.seconds or 0) / whole:.1%}", f"{kind.calls:g}" if kind.calls else ""


def _closed(one: list[Any]) -> tuple[str, int, float]:
    _, name, own = one
    return name, 1, 1e-6 * max(0.0, own)


def _is_operation(name: str) -> bool:
    """``aten::mm`` is one; ``autograd::engine::evaluate_function: …`` and ``TanhBackward0`` are the engine's."""
    return "::" in name and not name.startswith(("autograd::", "profiler::"))
