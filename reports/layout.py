"""What the fields of each kind of line must be: old lines lack the newer ones, and later lines may hold more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

STATUSES = ("ok", "timeout", "oom", "wrong", "diverged", "failed", "n/a")
MEASURES = ("time", "exact")
WARNINGS = ("busy", "stolen", "throttled")


def whole(value: Any) -> bool:
    """Whether a value is a whole number; true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def numeric(value: Any) -> bool:
    """Whether a value is a number."""
    return whole(value) or isinstance(value, float)


def _is(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kinds)


TEXT, TABLE, LIST, FLAG = _is(str), _is(dict), _is(list), _is(bool)
Fields = dict[str, tuple[Callable[[Any], bool], str]]
"""The fields of a table: what each must be, as a check and in words."""

RUN: Fields = (
    {name: (TEXT, "a text") for name in ("run", "started", "impls")}
    | {name: (TABLE, "a table") for name in ("versions", "machine")}
    | {"cells": (LIST, "a list")}
)
RUN_MAY: Fields = (
    {name: (TEXT, "a text") for name in ("preset", "commit", "bench")}
    | {name: (whole, "a whole number") for name in ("workers", "threads")}
    | {"dirty": (FLAG, "true or false"), "parts": (LIST, "a list"), "experiments": (TABLE, "a table")}
)
MACHINE_MAY: Fields = {
    "cpu": (TEXT, "a text"),
    "system": (TEXT, "a text"),
    "cores": (whole, "a whole number"),
    "memory_bytes": (numeric, "a number"),
    "gpu": (_is(str, dict), "a text or a table"),
}
NAMES = ("framework", "mode", "device", "dtype", "problem", "method", "gradient")
VISIT: Fields = (
    {name: (TEXT, "a text") for name in ("run", "cell", "measure", "status", "reason", *NAMES)}
    | {name: (TABLE, "a table") for name in ("sizes", "options", "samples", "values")}
    | {"worker": (whole, "a whole number")}
)
VISIT_MAY: Fields = {
    "seed": (whole, "a whole number"),
    "load": (numeric, "a number"),
    "conditions": (TABLE, "a table"),
}
CONDITIONS_MAY: Fields = {name: (numeric, "a number") for name in ("load", "cpu_share", "steal_share")} | {
    "warnings": (LIST, "a list")
}
PART: Fields = (
    {
        name: (TEXT, "a text")
        for name in ("run", "cell", "measure", "experiment", "framework", "device", "dtype", "status", "reason")
    }
    | {"settings": (TABLE, "a table"), "records": (LIST, "a list")}
    | {"worker": (whole, "a whole number")}
)
"""One part of an experiment: a training run of one seed, one sample of a comparison."""
PART_MAY: Fields = {"load": (numeric, "a number"), "conditions": (TABLE, "a table")}
VERDICT: Fields = {"run": (TEXT, "a text"), "surprises": (LIST, "a list")}
SURPRISE: Fields = {"cell": (TEXT, "a text"), "expected": (TEXT, "a text"), "found": (TEXT, "a text")}
SURPRISE_MAY: Fields = {"why": (TEXT, "a text")}
