"""The register of cells that cannot come out well, and why; a surprise in either direction is told.

A cell that no line describes is expected to be ok. Where a machine lacks what a cell needs (a compiler, a GPU), or a
smaller cell of its series took too much, n/a is no surprise; nor is it for a cell of no preset, whose maker may have
asked for what does not exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.cells import Cell
from bench.failures import UNAVAILABLE
from bench.presets import PRESETS
from bench.rows import SKIPPED, Surprise
from bench.summary import Summary


@dataclass(frozen=True)
class Expectation:
    """What cells with these attributes, sizes and options come to."""

    status: str
    why: str
    of: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    def describes(self, cell: Cell) -> bool:
        """Whether the cell has all that is named here."""
        named = ((self.sizes, cell.sizes), (self.options, cell.options))
        return all(getattr(cell, name) == value for name, value in self.of.items()) and all(
            theirs.get(name) == value for mine, theirs in named for name, value in mine.items()
        )


REGISTER = (
    Expectation(
        "diverged",
        "z ← z A + x B grows by a factor of up to 4 a step, past the largest float32 in 200 steps",
        of={"problem": "linear"},
        sizes={"gamma": 4.0},
        options={"K": 200},
    ),
    Expectation(
        "failed",
        "dynamo breaks the graph where the step is linearised, and what it compiles of it has no double backward",
        of={"mode": "compiled", "method": "ift", "gradient": "forward_gradient"},
    ),
    Expectation(
        "n/a",
        "the mean over several sampled tangents has no oracle here; given tangents have one",
        of={"method": "forward_gradient"},
        options={"tangents": "gaussian", "count": 4},
    ),
)


def expectation(cell: Cell) -> tuple[str, str]:
    """Status and reason that the register has for a cell; ok where it has none."""
    return next(((one.status, one.why) for one in REGISTER if one.describes(cell)), ("ok", ""))


def surprises(cells: Iterable[Cell], found: Iterable[Summary]) -> list[Surprise]:
    """Cells that came out otherwise than the register says: better, worse, or failed in another way."""
    by_id = {cell.id: cell for cell in cells}
    known = {cell.id for preset in PRESETS.values() for cell in preset.cells}
    told = []
    for one in found:
        status, why = expectation(by_id[one.cell])
        excused = one.status == "n/a" and (
            re.sub(r"/cuda:\d+/", "/cuda/", one.cell) not in known or one.reason.startswith((UNAVAILABLE, SKIPPED))
        )
        if one.status not in (status, "missing") and not excused:
            told.append(Surprise(cell=one.cell, expected=status, found=one.status, why=one.reason or why))
    return told
