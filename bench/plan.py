"""What to visit, and in which order: pure lists, no processes."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from bench.cell import Cell


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
"""The visits of one worker process, in order; all in one framework and mode, on one device, of one measure."""


def tours(cells: Iterable[Cell], workers: int, done: Collection[tuple[str, str, int]] = frozenset()) -> list[Tour]:
    """Exact visits first, since they tell early which cells fail; then ``workers`` processes for each kind of cell
    (framework, mode and device) that visit each time cell once.

    One process makes all exact visits of a kind, but on a GPU each of jax's has its own: the device's peak cannot be
    reset from inside. Each worker has its own order of time cells, seeded with its index, so that no cell always comes
    first or always follows the same neighbour.
    """
    kinds: dict[tuple[str, str, str], list[Cell]] = {}
    for cell in cells:
        kinds.setdefault((cell.framework, cell.mode, cell.device), []).append(cell)
    found: list[list[Visit]] = []
    for (framework, _, device), alike in kinds.items():
        exact = [Visit(cell, "exact", 0) for cell in alike if "exact" in cell.measures]
        alone = framework == "jax" and device.startswith("cuda")
        found += [[visit] for visit in exact] if alone else [exact]
    for worker in range(workers):
        for alike in kinds.values():
            tour = [Visit(cell, "time", worker) for cell in alike if "time" in cell.measures]
            random.Random(worker).shuffle(tour)
            found.append(tour)
    left = (tuple(visit for visit in tour if visit.key not in done) for tour in found)
    return [tour for tour in left if tour]
