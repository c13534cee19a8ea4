"""One line of a results file: what it must hold to be used, and the clause for one that does not."""

from __future__ import annotations

import json
import math
from typing import Any

from reports.clean import Damaged, Unusable, clean, once, quoted, shorten
from reports.columns import EXACT, TIMES
from reports.layout import (
    CONDITIONS_MAY,
    MACHINE_MAY,
    MEASURES,
    NAMES,
    PART,
    PART_MAY,
    RUN,
    RUN_MAY,
    STATUSES,
    SURPRISE,
    SURPRISE_MAY,
    VERDICT,
    VISIT,
    VISIT_MAY,
    Fields,
    numeric,
    whole,
)
from reports.records import records

Row = dict[str, Any]

SCHEMA = 1
"""The version of the row layout that this reader understands."""

MOST_BYTES = 16_000_000
"""Of one line; a visit of a thousand pairs has fifty thousand."""

NAME = 60
"""Characters of the name of a problem, method, framework, size or option."""

MOST_SETTINGS = 32
"""Sizes, or options, of one cell."""


SIGNED = ("loss", "cosine", "workspace_bytes")
"""Values that may be below zero; of the others a negative one is damage."""

LIMITS = {"_bytes": 1e18, "_s": 1e7}
"""No value whose name ends so is larger: an exabyte, four months."""


class ResultsError(ValueError):
    """Results that cannot be read; the message is one sentence that says where and what to do."""


def parse(line: bytes) -> Any:
    """The JSON value of a line; ``Unusable`` where there is none, or one that nobody should look at."""
    if len(line) > MOST_BYTES:
        raise Unusable("it is longer than 16 MB")
    try:
        return clean(json.loads(line.decode("utf-8-sig"), object_pairs_hook=once))
    except Unusable:
        raise
    except (ValueError, RecursionError) as error:
        raise Damaged("it is damaged, no line of JSON") from error


def check(row: Any) -> Row:
    """The row, once it is known to hold every field that is read from it; ``Unusable`` where it does not."""
    if not isinstance(row, dict) or not isinstance(row.get("kind"), str):
        raise Unusable("it is no row of results")
    if row["kind"] not in CHECKS:
        raise Unusable(f"it is of the unknown kind {quoted(row['kind'])}")
    if not whole(row.get("schema")) or row["schema"] != SCHEMA:
        raise Unusable(f"it has schema {quoted(row.get('schema'))}, but this report reads schema {SCHEMA}")
    return CHECKS[row["kind"]](row)


def number(value: Any) -> float:
    """A finite float, or NaN for anything else (null, text, a boolean, an infinity, a number too large)."""
    if not numeric(value):
        return math.nan
    try:
        found = float(value)
    except OverflowError:
        return math.nan
    return found if math.isfinite(found) else math.nan


def _fields(table: Any, needed: Fields, optional: Fields, where: str = "") -> None:
    """Each field of the kind that is read; one that is null or absent passes where it is optional."""
    if not isinstance(table, dict):
        raise Unusable(f"it needs a table{where}")
    for name, (fits, words) in (needed | optional).items():
        value = table.get(name)
        if not fits(value) and not (name in optional and value is None):
            raise Unusable(f"it needs {name!r}{where} as {words}")


def _run(row: Row) -> Row:
    _fields(row, RUN, RUN_MAY)
    _fields(row["machine"], {}, MACHINE_MAY, " of the machine")
    if not all(isinstance(cell, str) for cell in row["cells"]):
        raise Unusable("it lists a planned cell that is no text")
    if not all(isinstance(part, str) for part in row.get("parts") or []):
        raise Unusable("it lists a planned part that is no text")
    for cells in (row.get("experiments") or {}).values():
        if not isinstance(cells, list) or not all(isinstance(cell, str) for cell in cells):
            raise Unusable("it has an experiment that is no list of cells")
    return row


def _verdict(row: Row) -> Row:
    _fields(row, VERDICT, {})
    for surprise in row["surprises"]:
        _fields(surprise, SURPRISE, SURPRISE_MAY, " of a surprise")
    return row


def _visit(row: Row) -> Row:
    _fields(row, VISIT, VISIT_MAY)
    _made(row, MEASURES)
    _samples(row["samples"])
    _values(row["values"])
    named = {name: shorten(row[name], NAME) for name in NAMES}
    return row | named | {name: _settings(row[name], name) for name in ("sizes", "options")}


def _made(row: Row, measures: tuple[str, ...]) -> None:
    """What visits and parts say of how they were made."""
    for name, known in (("status", STATUSES), ("measure", measures)):
        if row[name] not in known:
            raise Unusable(f"it has the unknown {name} {quoted(row[name])}")
    if not 0 <= row["worker"] < 100_000:
        raise Unusable("its worker is none of the numbers 0 to 99999")
    _fields(row.get("conditions") or {}, {}, CONDITIONS_MAY, " of the conditions")


def _part(row: Row) -> Row:
    _fields(row, PART, PART_MAY)
    _made(row, ("part",))
    named = {name: shorten(row[name], NAME) for name in ("experiment", "framework", "device", "dtype")}
    return row | named | {"settings": _settings(row["settings"], "settings"), "records": records(row["records"])}


def _settings(table: Row, name: str) -> Row:
    """Sizes or options: few, flat, and of numbers that can be a size."""
    if len(table) > MOST_SETTINGS:
        raise Unusable(f"it has more than {MOST_SETTINGS} {name}")
    for value in table.values():
        if isinstance(value, list | dict) or (numeric(value) and abs(value) > 1e15):
            raise Unusable(f"its {name} hold more than texts and numbers up to 1e15")
    return once(
        [
            (shorten(key, NAME), shorten(value, NAME) if isinstance(value, str) else value)
            for key, value in table.items()
        ]
    )


def _samples(table: Row) -> None:
    """Lists of seconds, one as long as the other; a null is a time that is not known."""
    if not all(isinstance(times, list) for times in table.values()):
        raise Unusable("it needs lists of numbers in 'samples'")
    if len({len(times) for times in table.values()}) > 1:
        raise Unusable("its samples are of unequal length")
    for time in (time for times in table.values() for time in times if time is not None):
        if not numeric(time) or not 0 <= time <= LIMITS["_s"]:
            raise Unusable(f"it has the sample {quoted(time)}, which is no time in seconds")


def _values(table: Row) -> None:
    """Of those that are read: numbers or null, each of a size and a sign that it can have."""
    for name in dict.fromkeys((*EXACT, *TIMES)):
        value = table.get(name)
        if value is None:
            continue
        if not numeric(value):
            raise Unusable(f"its value {name!r} is no number")
        most = next((limit for end, limit in LIMITS.items() if name.endswith(end)), 1e300)
        if not (-most if name in SIGNED else 0) <= value <= most:
            raise Unusable(f"its value {name!r} is out of range")


CHECKS = {"run": _run, "visit": _visit, "part": _part, "verdict": _verdict}
