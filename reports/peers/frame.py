"""The records of the peers' bench as one tidy frame: a row for each cell, contender and worker process."""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import nan
from typing import Any, get_args

import pandas as pd

from bench.rows import Status
from reports.numbers import number, quoted
from reports.papers import Papers

EXPERIMENT = "peers"
"""The experiment whose parts the bench writes."""

NAMES = ("framework", "cell", "contender", "method")
"""Texts that a record needs to be of use."""

NUMBERS = ("K", "level", "error", "seconds", "forward_seconds", "ratio", "flop_ratio")

COLUMNS = (*NAMES, "dtype", "width", "options", "package", "worker", "status", "reason", *NUMBERS, "cost")

_WIDTH = re.compile(r"(\d{1,7})x\d+(?![\dx])")

Record = dict[str, Any]


def frame(papers: Papers) -> tuple[pd.DataFrame, list[str]]:
    """The frame, and a sentence on records that had to be passed over, if any.

    Columns: ``framework``, ``cell``, ``contender``, ``method`` (ift, jfb, unrolled, forward_gradient, step), ``dtype``,
    ``width`` of the cell (NaN where nothing says it), ``options`` and ``package`` (texts), ``worker``
    (process, the unit of replication), ``status`` and ``reason``, ``K`` (steps of the forward solve), ``level`` (of the
    error that is to be reached), ``error`` (of the gradient, relative), ``seconds`` (median of one call),
    ``forward_seconds`` (our forward, no gradient), ``ratio`` (of our contender that is the base of its method to this
    one, paired), ``flop_ratio`` (by hand). ``cost`` is the time of a contender, in seconds or relative to the base:
    only costs of the same framework, cell, method and worker may be divided. A row that is not ok has no time.
    """
    found: dict[tuple[Any, ...], Record] = {}
    lost = 0
    for record in papers.records(EXPERIMENT).to_dict("records"):
        if all(isinstance(record.get(name), str) and record[name] for name in NAMES):
            row = _row(record)
            found[(*(row[name] for name in NAMES), row["worker"])] = row
        else:
            lost += 1
    _price(found.values())
    rows = pd.DataFrame(list(found.values()), columns=list(COLUMNS))
    few = f"{lost} record{'s' if lost > 1 else ''} of the peers' bench without"
    told = [f"Passed over: {few} a framework, a cell, a contender or a method."] if lost else []
    return rows.astype({name: float for name in ("width", *NUMBERS, "cost")}), told


def ours(contender: str) -> bool:
    """Whether a contender is one of our implementations, which are named so: ``ours ift``."""
    return contender.split(" ")[0] == "ours"


def _row(record: Record) -> Record:
    row = {name: record[name] for name in (*NAMES, "dtype", "worker")}
    row |= {name: record[name] if isinstance(record.get(name), str) else "" for name in ("options", "package")}
    row |= {name: number(record.get(name)) for name in NUMBERS}
    status, reason = _status(record, row["seconds"])
    if status != "ok":
        row |= dict.fromkeys(("seconds", "ratio"), nan)
    return row | {"status": status, "reason": reason, "width": _width(record), "cost": nan}


def _status(record: Record, seconds: float) -> tuple[str, str]:
    """The status that the record gives itself; one that says nothing is ok where it has a time."""
    reason = record["reason"] if isinstance(record.get("reason"), str) else ""
    status = str(record["status"])
    if status not in get_args(Status):
        return "failed", f"its status is the unknown {quoted(status)}"
    if status == "ok" and not seconds >= 1e-9:
        return "failed", reason or "no time was recorded"
    return status, reason or ("" if status == "ok" else "no reason was recorded")


def _width(record: Record) -> float:
    """The width that the rows say, else the number before the last × of a name such as ``tanh-512x64-symmetric``."""
    named = _WIDTH.search(record["cell"])
    told = number(record.get("width"))
    return told if told == told else float(named[1]) if named else nan


def _price(rows: Iterable[Record]) -> None:
    """The cost of each row. Ratios of the same rounds say more than medians of seconds, which a slow minute drives
    apart; they can be used where exactly one of ours has the ratio 1, being the base, and no ratio is missing."""
    groups: dict[tuple[Any, ...], list[Record]] = {}
    for row in rows:
        if row["status"] == "ok":
            groups.setdefault(tuple(row[name] for name in ("framework", "cell", "method", "worker")), []).append(row)
    for group in groups.values():
        bases = [row for row in group if ours(row["contender"]) and row["ratio"] == 1]
        paired = len(bases) == 1 and all(row["ratio"] > 0 for row in group)
        for row in group:
            row["cost"] = 1 / row["ratio"] if paired else row["seconds"]
