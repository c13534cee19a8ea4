"""Rows for the queries of claims: what is not there, or is no number, leaves fewer rows and never an error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite, isnan
from typing import Any

import pandas as pd

from reports.labels import runner
from reports.numbers import number

Row = dict[str, Any]


def only(frame: pd.DataFrame, **wanted: Any) -> pd.DataFrame:
    """The rows in which every named column has the wanted value; none where a column is missing."""
    for name, this in wanted.items():
        if name not in frame.columns:
            return frame.iloc[:0]
        frame = frame.loc[pd.Series([one == this for one in frame[name]], index=frame.index, dtype=bool)]
    return frame


def rows(frame: pd.DataFrame) -> list[Row]:
    """The rows as plain tables; a missing value is None. Dear for a frame of many columns: see ``entries``."""
    return [
        {str(name): None if isinstance(one, float) and isnan(one) else one for name, one in row.items()}
        for row in frame.to_dict("records")
    ]


def entries(frame: pd.DataFrame, name: str) -> list[Any]:
    """What ``rows`` has under one name, without the other columns; None throughout where there is no such column."""
    if name not in frame.columns:
        return [None] * len(frame)
    return [None if isinstance(one, float) and isnan(one) else one for one in frame[name].tolist()]


def groups(frame: pd.DataFrame, *names: str) -> Iterator[tuple[dict[str, str], pd.DataFrame]]:
    """The rows by the values of some columns, as texts, numbers in their order; columns that are not there, and values
    that a row does not have, are left out of the names."""
    held = [name for name in names if name in frame.columns]
    found: dict[tuple[tuple[bool, float, str], ...], list[int]] = {}
    for place, values in enumerate(zip(*(frame[name] for name in held), strict=True)):
        found.setdefault(tuple(map(_sortable, values)), []).append(place)
    for key in sorted(found):
        taken = frame.iloc[found[key]]
        said = {name: value(taken[name].iloc[0]) for name in held}  # a whole row would become a column first
        yield {name: text for name, text in said.items() if text}, taken


def value(one: Any) -> str:
    """A setting as a text: ``8`` for 8.0, nothing for what is missing."""
    if one is None or (isinstance(one, float) and isnan(one)):
        return ""
    return f"{one:g}" if isinstance(one, float) else str(one)


def numbers(frame: pd.DataFrame, column: str) -> list[float]:
    """The finite numbers of a column, in order."""
    if column not in frame.columns:
        return []
    return [found for found in map(_number, frame[column]) if isfinite(found)]


def keyed(frame: pd.DataFrame, key: str, column: str) -> dict[Any, float]:
    """The column's finite numbers by another column, such as seconds by worker; of several the last."""
    if key not in frame.columns or column not in frame.columns:
        return {}
    pairs = ((one, _number(found)) for one, found in zip(frame[key], frame[column], strict=True))
    return {one: found for one, found in pairs if isfinite(found) and isinstance(one, int | float | str)}


def ran(row: Mapping[str, Any]) -> str:
    """What ran a cell or part: the framework, its mode where that is not the usual, its device where that is a GPU."""
    name = runner(str(row["framework"]), str(row.get("mode") or ""))
    device = str(row["device"])
    return name if device in ("cpu", "meta") else f"{name} on {device}"


def named(frame: pd.DataFrame) -> pd.DataFrame:
    """The same records, each with what ran it (see ``ran``) as its framework."""
    said = [name for name in ("framework", "mode", "device") if name in frame.columns]
    return frame.assign(framework=[ran(row) for row in frame[said].to_dict("records")])


def having(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """The rows with a number in a column."""
    if column not in frame.columns:
        return frame.iloc[:0]
    return frame.loc[pd.Series([isfinite(_number(one)) for one in frame[column]], index=frame.index, dtype=bool)]


def _number(one: Any) -> float:
    """numpy's numbers are no Python ones, so a frame's values are asked for theirs."""
    return number(one.item() if hasattr(one, "item") else one)


def _sortable(one: Any) -> tuple[bool, float, str]:
    """Numbers by size, before texts; what is missing comes first."""
    found = _number(one)
    if isnan(found):
        text = value(one)
        return bool(text), 0.0, text
    return False, found, ""
