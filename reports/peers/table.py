"""Ours beside every contender: a line for each framework, method and contender, with the ratio in each cell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import pandas as pd

from reports.peers.entries import Cells, Compared, Entries, Entry, compare, middle
from reports.peers.frame import ours

OWN_BACKPROP = "ours*backprop*"
"""Ours too, and what other methods of the same network are held against."""


@dataclass(frozen=True)
class Line:
    """One of ours ÷ one contender. names: every cell in which both took part, timed or not, in order; cells: the ratio
    of each in which both were timed; failed: the contender's entries that are left out, n/a among them; lost: cells in
    which ours failed."""

    framework: str
    method: str
    ours: str
    other: str
    names: Sequence[str]
    cells: Sequence[Compared]
    failed: Sequence[Entry]
    lost: Sequence[Entry]

    @property
    def median(self) -> float:
        """Over the cells; NaN where there is none."""
        return middle(one.ratio.value for one in self.cells)

    @property
    def worst(self) -> Compared | None:
        """The cell in which ours is slowest beside the other."""
        return max(self.cells, key=lambda one: one.ratio.value, default=None)

    def count(self, *, applicable: bool) -> int:
        """Cells without the contender: those that it failed, or those to which it does not apply."""
        return sum((one.status != "n/a") is applicable for one in self.failed)


def lines(found: Entries) -> list[Line]:
    """Every line, torch before jax, else in the order of the rows."""
    order = {"torch": 0, "jax": 1}
    groups = sorted(found, key=lambda group: order.get(group[0], 2))
    return [line for group in groups for line in _lines(*group, found[group])]


def _lines(framework: str, method: str, found: Cells) -> Iterator[Line]:
    names = list(dict.fromkeys(name for of_cell in found.values() for name in of_cell))
    own = [name for name in names if ours(name) and not fnmatchcase(name, OWN_BACKPROP)]
    for one in own:
        for other in names:
            if other not in own:
                yield _line(framework, method, one, other, list(found.values()))


def _line(framework: str, method: str, one: str, other: str, cells: Sequence[dict[str, Entry]]) -> Line:
    both = [(of_cell[one], of_cell[other]) for of_cell in cells if one in of_cell and other in of_cell]
    pairs = [pair for mine, its in both if (pair := compare([mine], [its]))]
    failed = [of_cell[other] for of_cell in cells if other in of_cell and not of_cell[other].ok]
    lost = [mine for mine, _ in both if not mine.ok]
    return Line(framework, method, one, other, [mine.cell for mine, _ in both], pairs, failed, lost)


def per_cell(found: Sequence[Line]) -> pd.DataFrame:
    """One row a line and cell: the ratio with its interval, or the status of what has none."""
    rows: list[dict[str, Any]] = []
    for line in found:
        named: dict[str, Any] = {
            "framework": line.framework,
            "method": line.method,
            "ours": line.ours,
            "contender": line.other,
        }
        for pair in line.cells:
            value, low, high, workers, _ = pair.ratio
            ratio = {"ratio": value, "low": low, "high": high, "workers": workers}
            seconds = {"ours_seconds": pair.ours.seconds, "contender_seconds": pair.other.seconds}
            errors = {"ours_error": pair.ours.error, "contender_error": pair.other.error}
            rows.append(named | {"cell": pair.cell, "status": "ok"} | ratio | seconds | errors)
        rows += [named | {"cell": one.cell, "status": one.status, "reason": one.reason} for one in line.failed]
        rows += [
            named | {"cell": one.cell, "status": f"ours {one.status}", "reason": one.reason}
            for one in line.lost
            if all(one.cell != other.cell for other in line.failed)
        ]
    return pd.DataFrame(rows)
