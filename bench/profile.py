"""``python -m bench profile``: where the time of one cell's gradient call goes, beside its forward's."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.aligned import aligned
from bench.cell import Cell
from bench.flags import add_cells, chosen, count, says_which
from bench.instruments.profiled import Kind, Profile

TOP = 12
"""Kinds of operation that have a line of their own."""


def add_flags(command: argparse.ArgumentParser) -> None:
    """The flags of the command."""
    add_cells(command)
    command.add_argument("--calls", type=count, default=10, help="profiled calls of each kind (default: 10)")


def profile(given: argparse.Namespace) -> int:
    """Build the one cell that the flags mean, check its gradient, profile both calls and print a table."""
    from bench.build import build
    from bench.measure import WORKER
    from bench.processes import Launch, Task, environment

    cell = _one(given)
    os.environ.update(environment(Launch(sys.executable, WORKER), Task()))
    os.environ.pop("XLA_FLAGS", None)
    with tempfile.TemporaryDirectory() as folder:
        job = build(cell, Path(folder))
        job.check()  # right before fast
        instrument = importlib.import_module(f"bench.instruments.{cell.framework}_profile")
        forward, gradient = (instrument.profile(call, job.sync, given.calls) for call in (job.forward, job.gradient))
    print(f"{cell.id}\n\n{table(gradient, forward)}")
    return 0


def _one(given: argparse.Namespace) -> Cell:
    """The cell that the flags mean; ``ValueError`` for none, several, or one that cannot be profiled."""
    if not says_which(given):
        raise ValueError("Nothing says which cell to profile: give --framework, --problem and --method.")
    cells = chosen(given)
    if len(cells) > 1:
        raise ValueError(
            f"The flags mean {len(cells)} cells: profile one, named by --framework, --problem and --method."
        )
    (cell,) = cells
    if cell.device != "cpu":
        raise ValueError(f"A profile is of calls on the CPU, not on {cell.device}: leave --device out.")
    if cell.mode == "compiled":
        raise ValueError("Compiled code is one operation to torch's profiler: profile the mode eager.")
    return cell


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
    return "\n".join(aligned(lines))


def _counts(gradient: Profile, forward: Profile) -> str:
    """The same without times."""
    others: Mapping[str, Kind] = {kind.name: kind for kind in forward.kinds}
    names = dict.fromkeys(kind.name for kind in (*gradient.kinds, *forward.kinds))
    own = {kind.name: kind for kind in gradient.kinds}
    lines = [["kind", "gradient", "forward"]]
    lines += [[name, *(f"{side[name].calls:g}" if name in side else "" for side in (own, others))] for name in names]
    text = "\n".join(aligned(lines))
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
