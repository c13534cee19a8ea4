"""What became of a target: met, missed (by how much, and in which cell), or not measured (why); computed from rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.below_one import NO_UNIT
from reports.claims.verdict import unfinished
from reports.load import Failure
from reports.peers.entries import Entries, middle
from reports.peers.measured import Value, lost, unopposed, value, without_unit
from reports.peers.targets import TARGETS, Target
from reports.peers.words import cells, reasons, shortfall, why_nothing

MET, MISSED, UNKNOWN = "met", "missed", "not measured"
VERDICTS = (MET, MISSED, UNKNOWN)


@dataclass(frozen=True)
class Judged:
    """A target with its verdict, why, and the number of each cell."""

    target: Target
    verdict: str
    detail: str
    cells: Sequence[Value]

    @property
    def median(self) -> float:
        """Over the cells; NaN where there is none."""
        return middle(one.number.value for one in self.cells)

    @property
    def worst(self) -> Value | None:
        """The cell with the largest number."""
        return max(self.cells, key=lambda one: one.number.value, default=None)


def judged(found: Entries, missing: Sequence[Failure] = (), failed: Sequence[Failure] = ()) -> list[Judged]:
    """Every target, held against the entries of its framework and method.

    missing: parts that were planned and are not there; failed: parts without a table.
    """
    return [judge(one, found, _of(one, missing), _of(one, failed)) for one in TARGETS]


def judge(target: Target, every: Entries, missing: Sequence[Failure] = (), failed: Sequence[Failure] = ()) -> Judged:
    """One target, with the missing and failed parts of its framework.

    A cell that ours failed counts against us; one that every contender failed is left out and counted. Where parts are
    missing nothing is met, since what is not there might be the worst cell.
    """
    found = every.get((target.framework, target.method), {})
    values = [one for of_cell in found.values() if (one := value(target, of_cell))]
    ours_lost = [entry for of_cell in found.values() if (entry := lost(target, of_cell))]
    told = shortfall(target, values)
    if ours_lost:
        told.append(f"Ours did not reach the error in {cells(len(ours_lost))}: {reasons(ours_lost)}.")
    alone = sum(unopposed(target, of_cell) for of_cell in found.values())
    left = [f"Left out: {cells(alone)} in which no contender reached the error."] if alone and values else []
    low = sum(without_unit(target, of_cell) for of_cell in found.values())
    left += [f"Left out: {cells(low)} with an R {NO_UNIT}."] if low else []
    gaps = _gaps(missing, [one for one in failed if one.status != "n/a"])
    if told:
        verdict, told = MISSED, [*told, *left]
    elif not values:
        verdict, told = UNKNOWN, left or [why_nothing(target, found, failed)]
    elif gaps:
        verdict, told = UNKNOWN, ["Met by the rows that are there, which are not all.", *left]
    else:
        verdict, told = MET, left
    return Judged(target, verdict, " ".join([*told, *gaps]), values)


def _gaps(missing: Sequence[Failure], failed: Sequence[Failure]) -> list[str]:
    """A sentence on parts that are not there."""
    words = [unfinished(missing)] if missing else []
    words += [f"{len(failed)} failed ({reasons(failed)})"] if failed else []
    return [f"Unfinished: {', '.join(words)}."] if words else []


def _of(target: Target, parts: Sequence[Failure]) -> list[Failure]:
    """The parts of the target's framework; a part's id is ``peers/FRAMEWORK/…``."""
    return [one for one in parts if f"/{target.framework}/" in one.name]
