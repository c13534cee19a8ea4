"""Numbers that have no noise, before and after: equal or not, and by how much."""

from __future__ import annotations

from math import isnan, nan
from typing import NamedTuple

from bench.stats import same_error
from reports.numbers import DASH, milliseconds, sig, size

EQUAL, MORE, FEWER, UNKNOWN = "equal", "more", "fewer", ""


class Change(NamedTuple):
    """A number on both sides; NaN where a side does not know it. rounded: it is a gradient error, of which
    ``bench.stats.same_error`` says what counts as equal."""

    before: float
    after: float
    rounded: bool = False

    @property
    def word(self) -> str:
        """``equal``, ``more`` or ``fewer``; empty where a side does not know the number."""
        if isnan(self.before) or isnan(self.after):
            return UNKNOWN
        if self.before == self.after or (self.rounded and same_error(self.before, self.after)):
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
    return Change(before, after, rounded=True)
