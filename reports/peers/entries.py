"""What all workers found of each contender in each cell, and two contenders side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import nan
from statistics import median
from typing import Any

import pandas as pd

from bench.stats import Estimate, centre, paired
from reports.frame import SEVERITY


@dataclass(frozen=True)
class Entry:
    """One contender in one cell, over all workers that reached it.

    status: the worst of any worker, with its ``reason``; one that is not ok has no times. seconds: median over workers
    of one call. costs: by worker, in a unit that all contenders of a method and a cell share. R: by worker, seconds of
    one call ÷ seconds of the forward. error: of the gradient, the greatest of any worker.
    """

    cell: str
    contender: str
    width: float
    status: str
    reason: str
    error: float
    seconds: float
    flop_ratio: float
    costs: Mapping[int, float]
    R: Mapping[int, float]

    @property
    def ok(self) -> bool:
        """Whether every worker reached the error and was timed."""
        return self.status == "ok"

    @property
    def distance(self) -> Estimate:
        """R ÷ flop ratio: how far the time is from what the least work would take, as measured by the forward."""
        return centre(value / self.flop_ratio for value in self.R.values() if self.flop_ratio > 0)

    @property
    def below_one(self) -> bool:
        """Whether the whole interval of R lies below 1, so that the forward is no unit."""
        return centre(self.R.values()).high < 1


Cells = dict[str, dict[str, Entry]]
"""Entries by cell and contender, in the order of the rows."""

Entries = dict[tuple[str, str], Cells]
"""By framework and method."""


def entries(rows: pd.DataFrame) -> Entries:
    """All entries; see ``reports.peers.frame.frame`` for ``rows``."""
    grouped: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows.to_dict("records"):
        grouped.setdefault((row["framework"], row["method"], row["cell"], row["contender"]), []).append(row)
    found: Entries = {}
    for (framework, method, cell, contender), some in grouped.items():
        found.setdefault((framework, method), {}).setdefault(cell, {})[contender] = _entry(some)
    return found


def _entry(rows: list[dict[str, Any]]) -> Entry:
    worst = min((row["status"] for row in rows), key=SEVERITY.index)
    last = [row for row in rows if row["status"] == worst][-1]
    timed = rows if worst == "ok" else []
    return Entry(
        cell=last["cell"],
        contender=last["contender"],
        width=last["width"],
        status=worst,
        reason=last["reason"],
        error=max((row["error"] for row in rows if row["error"] == row["error"]), default=nan),
        seconds=middle(row["seconds"] for row in timed),
        flop_ratio=last["flop_ratio"],
        costs={row["worker"]: row["cost"] for row in timed},
        R={row["worker"]: row["seconds"] / row["forward_seconds"] for row in timed if row["forward_seconds"] > 0},
    )


@dataclass(frozen=True)
class Compared:
    """Ours and another contender in one cell. ratio: time of ours ÷ time of the other, first divided for each worker,
    then their median with a 95 % t-interval on the logarithms."""

    ours: Entry
    other: Entry
    ratio: Estimate

    @property
    def cell(self) -> str:
        """The cell of both."""
        return self.ours.cell


def fitting(of_cell: Mapping[str, Entry], patterns: Iterable[str]) -> list[Entry]:
    """The contenders of a cell whose names fit one of the patterns, such as ``torchdeq ift *``."""
    wanted = tuple(patterns)
    return [one for name, one in of_cell.items() if any(fnmatchcase(name, pattern) for pattern in wanted)]


def compare(ours: Iterable[Entry], others: Iterable[Entry]) -> Compared | None:
    """The fastest of ours beside the fastest of the others in one cell; None where one side has none in time."""
    usable = [one for one in ours if one.ok]
    if not usable:
        return None
    fastest = min(usable, key=lambda one: one.seconds)
    pairs = [Compared(fastest, other, paired(fastest.costs, other.costs)) for other in others if other.ok]
    return max((pair for pair in pairs if pair.ratio.samples), key=lambda pair: pair.ratio.value, default=None)


def middle(values: Iterable[float]) -> float:
    """Median; NaN of none."""
    known = list(values)
    return float(median(known)) if known else nan
