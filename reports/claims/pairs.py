"""Two methods side by side at the same sizes: the cells of one framework, and the ratio of what they cost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bench.stats import Estimate, exactly, paired
from reports.below_one import NO_UNIT, no_unit
from reports.claims.claim import Case, case
from reports.claims.scope import of_cells
from reports.claims.select import Row, ran, rows
from reports.labels import label
from reports.numbers import number, sig
from reports.papers import Papers


def alike(frame: pd.DataFrame, *shared: str) -> Iterator[list[Row]]:
    """The cells that differ in method and options alone; ``shared``: options that they must have in common too."""
    found: dict[str, list[Row]] = {}
    for row in rows(frame):
        same = [row[name] for name in ("framework", "mode", "device", "dtype", "seed", "problem", "sizes")]
        options = {name: row["options"].get(name) for name in shared}
        found.setdefault(json.dumps([*same, options], sort_keys=True, default=str), []).append(row)
    yield from found.values()


@dataclass(frozen=True)
class Pair:
    """The dearer and the cheaper cell of a comparison, as a claim names them."""

    above: Row
    below: Row

    def framework(self) -> str:
        """What ran both."""
        return ran(self.above)

    def times(self, papers: Papers) -> Estimate:
        """R above ÷ R below: for each worker first, since it visited both; forwards cancel."""
        return paired(papers.by_worker(self.above["cell"]), papers.by_worker(self.below["cell"]))

    def case(self, conditions: Mapping[str, str], found: Estimate, note: str = "", *, timed: bool = False) -> Case:
        """A case of what the two cells gave, from their times or from exact values."""
        scope = of_cells(self.above, self.below, workers=found.samples if timed else 0)
        return case(conditions, found, note=note, scope=scope, doubt=doubt(self.above, self.below) if timed else "")

    def bytes(self, column: str) -> Estimate:
        """The exact ratio of a column of bytes; unknown where one is missing or the lower one is 0."""
        one, other = number(self.above.get(column)), number(self.below.get(column))
        return exactly(one / other if other else float("nan"))


def pairs(cells: Sequence[Row], above: Callable[[Row], bool], below: Callable[[Row], bool]) -> list[Pair]:
    """Each cell of the one kind with each of the other."""
    return [Pair(one, other) for one in cells if above(one) for other in cells if below(other)]


def doubt(*cells: Row) -> str:
    """That R of some of the cells lies below 1, so that their forwards are no unit; empty where none does."""
    told = [
        f"{label(str(row['method']), row['options'], str(row['gradient']))} {sig(number(row['R']))}"
        for row in cells
        if no_unit(row)
    ]
    return f"R {NO_UNIT}: {', '.join(told)}" if told else ""


def known(cases: list[Case]) -> list[Case]:
    """The cases that have a number."""
    return [one for one in cases if one.value == one.value]


def method(name: str, **options: Any) -> Callable[[Row], bool]:
    """Does a cell have this method and these options?"""
    return lambda row: row["method"] == name and all(row["options"].get(key) == one for key, one in options.items())
