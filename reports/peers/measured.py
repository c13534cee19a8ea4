"""The number of a target in one cell."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from bench.stats import Estimate
from reports.numbers import interval
from reports.peers.entries import Entry, compare, fitting
from reports.peers.targets import Target


@dataclass(frozen=True)
class Value:
    """A target's number in one cell; other: the contender that it was held against, empty for a distance."""

    cell: str
    number: Estimate
    other: str = ""

    @property
    def text(self) -> str:
        """The number with its interval."""
        return interval(*self.number[:3])


def mine(target: Target, of_cell: dict[str, Entry]) -> list[Entry]:
    """Our contenders of a cell that the target speaks of."""
    named = [one for one in fitting(of_cell, [target.ours]) if fnmatchcase(one.cell, target.cell)]
    return [one for one in named if not target.width or one.width >= target.width]


def value(target: Target, of_cell: dict[str, Entry]) -> Value | None:
    """The number of a cell; None where one side has no time."""
    tried = mine(target, of_cell)
    if target.against:
        pair = compare(tried, fitting(of_cell, target.against))
        return Value(pair.cell, pair.ratio, pair.other.contender) if pair else None
    timed = [one for one in tried if one.ok and one.distance.samples and not one.below_one]
    fastest = min(timed, key=lambda one: one.seconds, default=None)
    return Value(fastest.cell, fastest.distance) if fastest else None


def lost(target: Target, of_cell: dict[str, Entry]) -> Entry | None:
    """One of ours where all of ours failed; what is not applicable failed at nothing."""
    tried = mine(target, of_cell)
    bad = [one for one in tried if one.status != "n/a"]
    return bad[0] if bad and not any(one.ok for one in tried) else None


def without_unit(target: Target, of_cell: dict[str, Entry]) -> bool:
    """Whether a distance is to be measured in a cell where R of some of ours lies below 1: its forward is no unit."""
    return not target.against and any(one.ok and one.below_one for one in mine(target, of_cell))


def unopposed(target: Target, of_cell: dict[str, Entry]) -> bool:
    """Whether ours reached the error in a cell and no contender did."""
    others = fitting(of_cell, target.against)
    return bool(target.against) and any(one.ok for one in mine(target, of_cell)) and not any(one.ok for one in others)
