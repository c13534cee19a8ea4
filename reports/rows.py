"""One line of a results file: what it must hold, and the sentence for one that does not."""

from __future__ import annotations

import json
import math
from typing import Any

Row = dict[str, Any]

SCHEMA = 1
"""The version of the row layout that this reader understands."""

STATUSES = ("ok", "timeout", "oom", "wrong", "diverged", "failed", "n/a")

RUN = {"run": str, "started": str, "impls": str, "versions": dict, "machine": dict, "cells": list}
VISIT = {
    "run": str,
    "cell": str,
    "framework": str,
    "mode": str,
    "device": str,
    "dtype": str,
    "problem": str,
    "method": str,
    "gradient": str,
    "sizes": dict,
    "options": dict,
    "measure": str,
    "worker": int,
    "status": str,
    "reason": str,
    "samples": dict,
    "values": dict,
}


class ResultsError(ValueError):
    """Results that cannot be read; the message is one sentence that says where and what to do."""


def parse(line: bytes) -> Any:
    """The JSON value of a line, or ``None`` where the line is none (no row is null)."""
    try:
        return json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return None


def check(row: Any, place: str) -> Row:
    """The row itself, once it is known to be of this schema and to hold every field that is read from it."""
    if not isinstance(row, dict) or row.get("kind") not in ("run", "visit"):
        raise ResultsError(f"{place} is no row of results: give a file that the benchmark wrote.")
    if row.get("schema") != SCHEMA:
        raise ResultsError(
            f"{place} has schema {row.get('schema')!r}, but this report reads schema {SCHEMA}: "
            "measure again or use the report of that version."
        )
    for name, kind in (RUN if row["kind"] == "run" else VISIT).items():
        if not isinstance(row.get(name), kind):
            raise ResultsError(f"{place} needs {name!r} as {kind.__name__}: remove the line or measure again.")
    if row["kind"] == "run" and not all(isinstance(cell, str) for cell in row["cells"]):
        raise ResultsError(f"{place} lists a planned cell that is no text: remove the line or measure again.")
    if row["kind"] == "visit":
        _check_visit(row, place)
    return row


def number(value: Any) -> float:
    """A finite float, or NaN for anything else (null, text, a boolean, an infinity, a number too large)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    try:
        found = float(value)
    except OverflowError:
        return math.nan
    return found if math.isfinite(found) else math.nan


def _check_visit(row: Row, place: str) -> None:
    """What a visit needs beyond the types of its fields."""
    if row["status"] not in STATUSES:
        raise ResultsError(f"{place} has the unknown status {row['status']!r}: known are {', '.join(STATUSES)}.")
    if row["measure"] not in ("time", "exact"):
        raise ResultsError(f"{place} has the unknown measure {row['measure']!r}: known are time and exact.")
    if not all(isinstance(times, list) for times in row["samples"].values()):
        raise ResultsError(f"{place} needs lists of numbers in 'samples': remove the line or measure again.")
