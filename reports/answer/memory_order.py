"""How the peak bytes of a method grow, in a few words, from the sweeps that were measured."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from reports.numbers import size
from reports.sweeps import UNITS, Line, sweeps

EXACTLY = ": exactly "
"""What comes before the pieces of a slope in ``Line.words``."""


def lines(frame: pd.DataFrame) -> list[Line]:
    """All sweeps, those that ran first: bytes computed from shapes alone stand in where nothing else was measured."""
    found = [line for axis in UNITS for line in sweeps(frame, axis)]
    return sorted(found, key=lambda line: line.device == "meta")


def order(found: Sequence[Line], label: str, runner: str, problem: str) -> str:
    """The growth of a method on a problem in one framework and mode: of the first sweep of it; empty without one."""
    ours = [one for one in found if (one.label, one.runner, one.problem) == (label, runner, problem)]
    return growth(ours[0]) if ours else ""


def growth(line: Line) -> str:
    """``constant in K (0 B a step)``; ``grows by one activation a layer``; bytes where they are no whole pieces."""
    slope = line.slope
    if slope.exact is None and slope.tail < 2:
        return f"{slope.short}, not a straight line"
    step = slope.steps[-1]
    since = "" if slope.exact is not None else f" from {line.axis} {slope.xs[len(slope.steps) - slope.tail]} on"
    if step == 0:
        return f"constant in {line.axis}{since} (0 B a {slope.unit})"
    verb = "grows" if step > 0 else "shrinks"
    pieces = line.words.partition(EXACTLY)[2] or size(float(abs(step)))
    return f"{verb} by {pieces} a {slope.unit}{since}"


def flat(line: Line) -> bool:
    """Whether the peak is the same at every point."""
    return line.slope.exact == 0


def grows(line: Line) -> bool:
    """Whether the peak grows from every point to the next."""
    return all(step > 0 for step in line.slope.steps)
