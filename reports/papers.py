"""The papers' experiments as tidy frames: the cells and the records of each, and what went wrong."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from bench.rows import PartRow, RunRow
from reports import frame as frames
from reports.load import Failure, Plan, Results, gaps, plans
from reports.load import read as read_results

__all__ = ["Failure", "Papers", "read"]

IDENTITY = ("framework", "device", "dtype", "worker")
"""Columns of every frame of records, before those of its settings and of the records themselves."""

MOST_COLUMNS = 128
"""Columns of a frame of records, and columns that sizes and options add to a frame of cells."""


@dataclass(frozen=True)
class Papers:
    """What one file of the papers' experiments holds; an experiment that was not run has empty frames."""

    results: Results

    @property
    def run(self) -> RunRow:
        """The newest run: preset, commit, machine, versions."""
        return self.results.run

    @property
    def files(self) -> str:
        """The file as a page may show it."""
        return ", ".join(self.results.files)

    @cached_property
    def experiments(self) -> dict[str, frozenset[str]]:
        """Every experiment that was planned or has rows, with the ids of its cells."""
        found = {part.experiment: frozenset[str]() for part in self.results.parts}
        return found | {name: plan.cells for name, plan in self._plans.items()}

    def cells(self, experiment: str) -> pd.DataFrame:
        """One row a visited cell of an experiment: the columns of ``frame.cells``, then each size and each option
        under its own name (K, width, tangents, …; missing where a cell has none)."""
        frame = self._cells
        return frame[frame["cell"].isin(self.experiments.get(experiment, frozenset()))].reset_index(drop=True)

    def records(self, experiment: str) -> pd.DataFrame:
        """One row a record of the ok parts of an experiment.

        Columns: ``framework``, ``device``, ``dtype``, ``worker`` of the part, its settings, the record's own fields;
        where two share a name the record has the last word.
        """
        rows = [_record(part, record) for part in self._parts(experiment) for record in part.records]
        names = dict.fromkeys([*IDENTITY, *(name for row in rows for name in row)])
        return pd.DataFrame(rows, columns=list(names)[:MOST_COLUMNS])

    def failed(self, experiment: str) -> list[Failure]:
        """Parts and cells that were tried and have no numbers; one that is not applicable (``n/a``) is among them."""
        lost = [Failure(part.cell, part.status, part.reason) for part in self._parts(experiment)]
        frame = self.cells(experiment)
        lost += [Failure(*row) for row in frame[["cell", "status", "reason"]].itertuples(index=False, name=None)]
        return [one for one in lost if one.status != "ok"]

    def missing(self, experiment: str) -> list[Failure]:
        """Planned cells and parts of which rows are missing, each once; their status is ``not run``."""
        return self._missing.get(experiment, [])

    def by_worker(self, cell: str, column: str = "R") -> dict[int, float]:
        """The median over its pairs that each worker found for a cell: of ``R``, ``forward_s`` or ``gradient_s``."""
        return dict(self._by_worker[column].get(cell, {}))

    @cached_property
    def _plans(self) -> dict[str, Plan]:
        return plans(self.results)

    @cached_property
    def _missing(self) -> dict[str, list[Failure]]:
        return gaps(self.results)

    @cached_property
    def _cells(self) -> pd.DataFrame:
        frame = frames.cells(self.results)
        added: dict[Hashable, list[Any]] = {}
        settings = [one["sizes"] | one["options"] for one in frame.to_dict("records")]
        for name in dict.fromkeys(name for one in settings for name in one):
            if name not in frame.columns and len(added) < MOST_COLUMNS:
                added[name] = [one.get(name) for one in settings]
        return frame.join(pd.DataFrame(added, index=frame.index))

    @cached_property
    def _by_worker(self) -> dict[str, dict[str, dict[int, float]]]:
        """Of each column, cell and worker the median; of the cells whose numbers count alone."""
        good = set(self._cells.loc[self._cells["R"].notna(), "cell"])
        pairs = frames.samples(self.results)
        found: dict[str, dict[str, dict[int, float]]] = {"R": {}, "forward_s": {}, "gradient_s": {}}
        medians = pairs[pairs["cell"].isin(good)].groupby(["cell", "worker"])[list(found)].median()
        for row in medians.reset_index().to_dict("records"):
            for column, of_cell in found.items():
                of_cell.setdefault(row["cell"], {})[int(row["worker"])] = float(row[column])
        return found

    def _parts(self, experiment: str) -> list[PartRow]:
        """The parts that count: those of the last plan, and of each the last that is ok, else the last."""
        found: dict[tuple[str, int], PartRow] = {}
        plan = self._plans.get(experiment)
        for part in self.results.parts:
            key = part.cell, part.worker
            if part.experiment != experiment or (plan is not None and not plan.has(part.cell)):
                continue
            if key not in found or part.status == "ok" or found[key].status != "ok":
                found[key] = part
        return list(found.values())


def read(*paths: str | Path) -> Papers:
    """The newest group of runs in files of the papers' experiments; ``ResultsError`` as ``reports.load.read``."""
    return Papers(read_results(*paths))


def _record(part: PartRow, record: dict[str, Any]) -> dict[str, Any]:
    own = {name: getattr(part, name) for name in IDENTITY}
    # A record may speak of another framework than the one it ran in; of anything else than a text it may not.
    said = {name: value for name, value in record.items() if name not in own or isinstance(value, type(own[name]))}
    return own | {name: value for name, value in part.settings.items() if name not in own} | said
