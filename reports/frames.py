"""Results as tidy frames: one row a sample, one row a cell."""

from __future__ import annotations

from collections.abc import Iterable
from math import isnan, nan
from statistics import median
from typing import Any

import pandas as pd

from reports.labels import label
from reports.load import Results
from reports.rows import Row, number
from reports.statistics import ratio

SEVERITY = ("wrong", "diverged", "failed", "oom", "timeout", "n/a", "ok")
"""A cell has the first of these that any of its visits has: one wrong worker discredits the others."""

EXACT = (
    "peak_bytes",
    "held_bytes",
    "parameter_bytes",
    "tangent_bytes",
    "result_bytes",
    "forward_peak_bytes",
    "gradient_error",
    "cosine",
    "oracle_deviation",
    "loss",
    "forward_steps",
    "forward_residual",
    "backward_steps",
    "backward_residual",
    "parameters",
)
IDENTITY = ("framework", "mode", "device", "dtype", "seed", "problem", "method", "gradient")
TIME = (
    "R",
    "R_low",
    "R_high",
    "R_min",
    "sd_log_R",
    "workers",
    "pairs",
    "forward_s",
    "gradient_s",
    "compile_s",
    "overhead_s",
)

CELL_COLUMNS = (
    "cell",
    *IDENTITY,
    "label",
    "sizes",
    "options",
    "status",
    "reason",
    "time_status",
    "exact_status",
    *TIME,
    *EXACT,
)
SAMPLE_COLUMNS = (
    "cell",
    *IDENTITY,
    "label",
    "sizes",
    "options",
    "worker",
    "pair",
    "forward_s",
    "gradient_s",
    "R",
)


def samples(results: Results) -> pd.DataFrame:
    """One row an interleaved pair of an ok time visit.

    Columns: ``cell`` (its id), ``framework``, ``mode``, ``device``, ``dtype``, ``seed``, ``problem``,
    ``method``, ``gradient``, ``label`` (method as shown), ``sizes`` and ``options`` (dicts), ``worker``
    (process, from 0), ``pair`` (order inside the worker, from 0), ``forward_s`` and ``gradient_s`` (seconds),
    ``R`` (their ratio, no unit). Pairs with a time that is missing or not above zero are left out.
    """
    rows = []
    for visit in counted(results):
        if visit["measure"] == "time" and visit["status"] == "ok":
            for pair, (forward, gradient) in _pairs(visit):
                times = {"forward_s": forward, "gradient_s": gradient, "R": gradient / forward}
                rows.append(_identity(visit) | {"worker": visit["worker"], "pair": pair} | times)
    return pd.DataFrame(rows, columns=list(SAMPLE_COLUMNS))


def cells(results: Results) -> pd.DataFrame:
    """One row a cell that was visited.

    Columns: those that name the cell (see ``samples``); ``status`` and ``reason`` of the whole,
    ``time_status`` and ``exact_status`` of each measure (empty where it was not taken); ``R`` with ``R_low``
    and ``R_high`` (95 %, NaN for one worker), ``R_min`` (smallest single pair), ``sd_log_R`` (between
    workers), ``workers``, ``pairs``; ``forward_s``, ``gradient_s``, ``compile_s`` and ``overhead_s``
    (seconds, median over workers); then the exact values under the names of the results file: bytes, steps,
    and errors without unit. What is unknown or did not succeed is NaN.
    """
    visits: dict[str, list[Row]] = {}
    for visit in counted(results):
        visits.setdefault(visit["cell"], []).append(visit)
    frame = pd.DataFrame([_cell(of_cell) for of_cell in visits.values()], columns=list(CELL_COLUMNS))
    return frame.astype({name: float for name in (*TIME, *EXACT)})


def missing(results: Results) -> list[str]:
    """Ids of cells that a run planned and none visited."""
    visited = {visit["cell"] for visit in results.visits}
    planned = dict.fromkeys(cell for run in results.runs for cell in run["cells"])
    return [cell for cell in planned if cell not in visited]


def counted(results: Results) -> list[Row]:
    """The visits that count: of each cell, measure and worker the last that is ok, else the last."""
    found: dict[tuple[str, str, int], Row] = {}
    for visit in results.visits:
        key = (visit["cell"], visit["measure"], visit["worker"])
        if key not in found or visit["status"] == "ok" or found[key]["status"] != "ok":
            found[key] = visit
    return list(found.values())


def _pairs(visit: Row) -> list[tuple[int, tuple[float, float]]]:
    """Index and times of the usable pairs of a visit."""
    forward, gradient = (map(number, visit["samples"].get(name, [])) for name in ("forward_s", "gradient_s"))
    # A comparison with NaN is false, so a pair with an unknown time falls out here too.
    return [
        (index, pair) for index, pair in enumerate(zip(forward, gradient, strict=False)) if pair[0] > 0 and pair[1] > 0
    ]


def _identity(visit: Row) -> dict[str, Any]:
    """The columns that say which cell a row belongs to."""
    name = label(visit["method"], visit["options"], visit["gradient"])
    parts = {column: visit.get(column) for column in ("cell", *IDENTITY, "sizes", "options")}
    return parts | {"label": name, "seed": visit.get("seed", 0)}


def _cell(visits: list[Row]) -> dict[str, Any]:
    """The row of one cell."""
    timed = [visit for visit in visits if visit["measure"] == "time"]
    exact = [visit for visit in visits if visit["measure"] == "exact"]
    status, reason = _status(visits)
    row = _identity(visits[-1]) | {"status": status, "reason": reason}
    row |= {"time_status": _status(timed)[0], "exact_status": _status(exact)[0]}
    # A gradient that is off its oracle once is not to be trusted at all: no number of the cell counts.
    distrusted = status in ("wrong", "diverged")
    if row["time_status"] == "ok" and not distrusted:
        row |= _time(timed)
        if not row["workers"]:
            row |= {
                "status": "failed",
                "time_status": "failed",
                "reason": "no usable pair of times was recorded",
            }
    if row["exact_status"] == "ok" and not distrusted:
        found = {name: number(exact[-1]["values"].get(name)) for name in EXACT}
        row |= {name: value for name, value in found.items() if not isnan(value)}
    return row


def _status(visits: list[Row]) -> tuple[str, str]:
    """The worst status and its reason, which says how many visits share it when others do not."""
    if not visits:
        return "", ""
    worst = min((visit["status"] for visit in visits), key=SEVERITY.index)
    having = [visit for visit in visits if visit["status"] == worst]
    reasons = [visit["reason"] for visit in having if visit["reason"]]
    reason = reasons[-1] if reasons else ("" if worst == "ok" else "no reason was recorded")
    return worst, reason if len(having) == len(visits) else f"{len(having)} of {len(visits)} visits: {reason}"


def _time(visits: list[Row]) -> dict[str, float]:
    """R and times from the visits of all workers."""
    workers = [[pair for _, pair in _pairs(visit)] for visit in visits]
    workers = [pairs for pairs in workers if pairs]
    ratios = [[gradient / forward for forward, gradient in pairs] for pairs in workers]
    found = ratio([median(values) for values in ratios])
    return {
        "R": found.value,
        "R_low": found.low,
        "R_high": found.high,
        "R_min": min((min(values) for values in ratios), default=nan),
        "sd_log_R": found.sd_log,
        "workers": len(workers),
        "pairs": sum(map(len, workers)),
        "forward_s": _median(median(forward for forward, _ in pairs) for pairs in workers),
        "gradient_s": _median(median(gradient for _, gradient in pairs) for pairs in workers),
        "compile_s": _median(number(visit["values"].get("compile_s")) for visit in visits),
        "overhead_s": _median(number(visit["values"].get("overhead_s")) for visit in visits),
        # Of the time visits; the exact visit, where there is one, has the last word.
        "oracle_deviation": max((number(visit["values"].get("oracle_deviation")) for visit in visits), default=nan),
    }


def _median(values: Iterable[float]) -> float:
    """Median of the numbers among ``values``; NaN where there is none."""
    known = [value for value in values if not isnan(value)]
    return median(known) if known else nan
