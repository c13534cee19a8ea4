"""Cells as points: a column of each, with its interval where the column is R."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reports.below_one import causes, no_unit
from reports.claims.select import Row, having, ran, rows
from reports.labels import label
from reports.numbers import number
from reports.paper_figures.points import Point
from reports.papers import Papers


def cells(papers: Papers, experiment: str, column: str) -> Iterator[Row]:
    """The cells of an experiment that have a number in a column."""
    yield from rows(having(papers.cells(experiment), column))


def setting(row: Row, name: str) -> float:
    """A size or an option as a number; NaN where a cell has none."""
    return number((row["sizes"] | row["options"]).get(name))


def named(row: Row) -> str:
    """The method of a cell as a reader knows it."""
    return label(row["method"], row["options"], row["gradient"])


def point(row: Row, x: float, column: str, **more: Any) -> Point:
    """A point of a cell at ``x``."""
    ends = (number(row["R_low"]), number(row["R_high"])) if column == "R" else (float("nan"),) * 2
    names = {"label": named(row), "runner": ran(row)} | more
    doubt = causes([row]) if column == "R" and no_unit(row) else ""
    return Point(x=x, y=number(row[column]), low=ends[0], high=ends[1], doubt=doubt, **names)
