"""The table of gradient errors: one line for each exact visit, the runners beside each other."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import Any

import pandas as pd

from reports.labels import order, place, settings
from reports.numbers import number

MOST_RUNNERS = 6
"""Columns of each kind; there are three runners."""


@dataclass(frozen=True)
class ErrorRow:
    """One method at one size with one set of options; ``of`` holds the row of each runner."""

    label: str
    options: str
    sizes: str
    of: dict[str, dict[str, Any]]

    @property
    def shared(self) -> dict[str, Any]:
        """The row of the first runner, torch where it is there: for residuals, which are shown once."""
        return self.of[min(self.of, key=place)]


def runners(rows: dict[str, list[ErrorRow]]) -> list[str]:
    """The runners of a table, in order."""
    return sorted({name for group in rows.values() for row in group for name in row.of}, key=place)[:MOST_RUNNERS]


def error_rows(frame: pd.DataFrame) -> dict[str, list[ErrorRow]]:
    """Rows by problem, sorted by method, sizes and options; only cells with a gradient error."""
    found: dict[tuple[str, ...], ErrorRow] = {}
    measured = frame[frame["gradient_error"].notna() & (frame["device"] != "meta")].to_dict("records")
    first = list(dict.fromkeys(row["problem"] for row in measured))
    for row in sorted(measured, key=lambda row: (first.index(row["problem"]), *_place(row))):
        plain = settings(row["options"], without=("linear_solver", "tangents"))
        sizes = f"{settings(row['sizes'])}, {row['dtype']} on {row['device']}" + (
            f", seed {row['seed']}" if row["seed"] else ""
        )
        key = (row["problem"], row["label"], sizes, plain)
        found.setdefault(key, ErrorRow(row["label"], plain, sizes, {})).of[row["runner"]] = row
    problems: dict[str, list[ErrorRow]] = {}
    for (problem, *_), entry in found.items():
        problems.setdefault(problem, []).append(entry)
    return problems


def _place(row: dict[str, Any]) -> tuple[Any, ...]:
    """Sort key: numbers as numbers, so that K = 5 comes before K = 10."""
    numbers = [sorted((name, _sortable(value)) for name, value in row[part].items()) for part in ("sizes", "options")]
    return (order(row["label"]), *numbers, place(row["runner"]))


def _sortable(value: Any) -> tuple[int, float, str]:
    """Numbers before texts."""
    return (1, 0.0, str(value)) if isnan(number(value)) else (0, number(value), "")
