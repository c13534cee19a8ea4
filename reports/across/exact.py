"""Numbers that have no noise, before and after: equal or not, and by how much."""

from __future__ import annotations

from math import isnan, nan
from typing import NamedTuple

from reports.numbers import DASH, milliseconds, sig, size

ERROR_RELATIVE, ERROR_ZERO = 1e-9, 1e-12
"""Two gradient errors are equal within this relative difference, or where both are below the rounding of float64."""

EQUAL, MORE, FEWER, UNKNOWN = "equal", "more", "fewer", ""


class Change(NamedTuple):
    """A number on both sides; NaN where a side does not know it. tolerance, zero: differences up to ``tolerance`` times
    the number before, and numbers that are both under ``zero``, count as equal."""

    before: float
    after: float
    tolerance: float = 0.0
    zero: float = 0.0

    @property
    def word(self) -> str:
        """``equal``, ``more`` or ``fewer``; empty where a side does not know the number."""
        if isnan(self.before) or isnan(self.after):
            return UNKNOWN
        alike = abs(self.after - self.before) <= self.tolerance * abs(self.before)
        if alike or max(abs(self.before), abs(self.after)) < self.zero:
            return EQUAL
        return MORE if self.after > self.before else FEWER

    @property
    def changed(self) -> bool:
        """Whether both sides know the number and differ."""
        return self.word in (MORE, FEWER)

    @property
    def factor(self) -> float:
        """After ÷ before; NaN where that is no number."""
        found = self.after / self.before if self.before > 0 else nan
        return found if found < 1e100 else nan

    def told(self, unit: str) -> str:
        """The change in words: ``equal``, ``4.10 kB more``; of errors a factor where three digits tell one."""
        if not self.changed:
            return self.word or DASH
        if unit == "relative" and sig(self.factor) not in ("1.00", DASH):
            return f"× {sig(self.factor)}"
        return f"{printed(abs(self.after - self.before), unit)} {self.word}"

    def way(self, unit: str) -> str:
        """From what to what, or the one number where they are equal."""
        if self.word == EQUAL:
            return printed(self.after, unit)
        return f"{printed(self.before, unit)} → {printed(self.after, unit)}"


def printed(value: float, unit: str) -> str:
    """A number of a unit: ``bytes``, ``seconds`` (as milliseconds), or any other, which is not named."""
    return {"bytes": size, "seconds": milliseconds}.get(unit, sig)(value)


def error(before: float, after: float) -> Change:
    """Two gradient errors."""
    return Change(before, after, ERROR_RELATIVE, ERROR_ZERO)
