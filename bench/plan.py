"""What to visit, and in which order: pure lists, no processes."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from bench.grid import Cell


@dataclass(frozen=True)
class Visit:
    """One measure of one cell by one worker."""

    cell: Cell
    measure: str
    worker: int

    @property
    def key(self) -> tuple[str, str, int]:
        """What identifies the visit in the store."""
        return self.cell.id, self.measure, self.worker


Tour = tuple[Visit, ...]
"""The visits of one worker process, in order; all in one framework."""


def tours(cells: Iterable[Cell], workers: int, done: Collection[tuple[str, str, int]] = frozenset()) -> list[Tour]:
    """One process a framework for all exact visits, then ``workers`` processes a framework that visit each
    time cell once.

    The exact ones come first: they tell early which cells fail. Each worker has its own order, seeded with
    its index, so that no cell always comes first or always follows the same neighbour.
    """
    cells = list(cells)
    frameworks = list(dict.fromkeys(cell.framework for cell in cells))
    found: list[list[Visit]] = []
    for framework in frameworks:
        found.append(
            [Visit(cell, "exact", 0) for cell in cells if cell.framework == framework and "exact" in cell.measures]
        )
    for worker in range(workers):
        for framework in frameworks:
            tour = [
                Visit(cell, "time", worker) for cell in cells if cell.framework == framework and "time" in cell.measures
            ]
            random.Random(worker).shuffle(tour)
            found.append(tour)
    left = (tuple(visit for visit in tour if visit.key not in done) for tour in found)
    return [tour for tour in left if tour]
