"""The table that a part of an experiment leaves: what its rows must be to be used."""

from __future__ import annotations

from typing import Any

from reports.clean import Unusable, once, quoted, shorten
from reports.layout import numeric

MOST_FIELDS = 64
"""Columns of the table of one part."""

LONGEST_NAME = 60
"""Characters of a column's name."""

LONGEST_TEXT = 120
"""Characters of a text in the table, such as a file's path."""

LARGEST = 1e300
"""No number of a table comes near; larger ones overflow what is computed from them."""


def records(table: list[Any]) -> list[dict[str, Any]]:
    """The rows of a part's table, flat, of numbers, texts and nulls; ``Unusable`` where they are anything else.

    True and false count as 1 and 0; NaN and the infinities are null already (see ``clean``).
    """
    found = [_record(row) for row in table]
    names = {name for row in found for name in row}
    if len(names) > MOST_FIELDS:
        raise Unusable(f"its records have more than {MOST_FIELDS} fields")
    return found


def _record(row: Any) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise Unusable("it has a record that is no table")
    return once([(shorten(name, LONGEST_NAME), _value(name, value)) for name, value in row.items()])


def _value(name: str, value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        return shorten(value, LONGEST_TEXT)
    if value is None or (numeric(value) and abs(value) <= LARGEST):
        return value
    raise Unusable(f"its record's {quoted(name)} is no number up to 1e300 and no text")
