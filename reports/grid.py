"""What the page says of the grid's cells, worked out once: frames, tables, figures, what failed, what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from bench.rows import RunRow
from reports.cautions import cautions
from reports.device_memory import Workspace, device_memory, workspaces
from reports.draw import Drawing
from reports.errors_table import ErrorRow, error_rows, runners
from reports.facts import facts
from reports.frame import cells, samples
from reports.headline import Group, groups
from reports.load import Results, missing
from reports.memory_figures import memory
from reports.sweeps import UNITS, sweeps

MOST_MISSING = 100
"""Cells without a visit that are listed; the others are counted."""


@dataclass(frozen=True)
class Grid:
    """One file of results, or more of one group, ready to be shown."""

    results: Results
    frame: pd.DataFrame
    samples: pd.DataFrame
    cautions: list[str]
    groups: list[Group]
    memory: list[Drawing]
    errors: dict[str, list[ErrorRow]]
    runners: list[str]
    workspaces: list[Workspace]
    shapes: list[dict[str, Any]]
    """Cells computed from shapes alone that are part of no figure."""
    unswept: list[str]
    failed: list[dict[str, Any]]
    missing: list[str]
    planned: int
    """Cells that a run planned or that were visited."""
    facts: list[tuple[str, str]]
    most_missing: ClassVar[int] = MOST_MISSING

    @property
    def run(self) -> RunRow:
        """The newest run."""
        return self.results.run

    @property
    def fine(self) -> int:
        """Cells that came out well."""
        return self.planned - len(self.failed) - len(self.missing)


def grid(results: Results) -> Grid:
    """The grid of one set of results."""
    frame, lost = cells(results), missing(results)
    lines = {axis: sweeps(frame, axis) for axis in UNITS}
    drawn = [memory([line for line in found if not line.on_gpu], axis) for axis, found in lines.items()]
    drawn += [device_memory(found, axis) for axis, found in lines.items()]
    errors = error_rows(frame)
    swept = {cell for found in lines.values() for line in found for cell in line.cells}
    alone = frame[(frame["device"] == "meta") & frame["peak_bytes"].notna() & ~frame["cell"].isin(swept)]
    return Grid(
        results=results,
        frame=frame,
        samples=samples(results),
        cautions=cautions(results, frame),
        groups=groups(frame),
        memory=[drawing for drawing in drawn if drawing],
        errors=errors,
        runners=runners(errors),
        workspaces=workspaces(frame),
        shapes=alone.to_dict("records"),
        unswept=[axis for axis, found in lines.items() if not found],
        failed=frame[frame["status"] != "ok"].to_dict("records"),
        missing=lost,
        planned=len({*frame["cell"], *lost}),
        facts=facts(results, frame),
    )
