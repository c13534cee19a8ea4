"""Results as tidy frames: one row a sample, one row a cell."""

from __future__ import annotations

from collections.abc import Iterable
from math import isnan, nan
from statistics import median
from typing import Any

import pandas as pd

from bench.stats import centre
from reports.columns import CELL, EXACT, IDENTITY, NUMBERS, SAMPLE
from reports.labels import label, runner, settings
from reports.layout import WARNINGS
from reports.load import Results
from reports.rows import Row, number

SEVERITY = ("wrong", "diverged", "failed", "oom", "timeout", "n/a", "ok")
"""A cell has the first of these that any of its visits has: one wrong worker discredits the others."""

RATIOS = (("counted_flop_ratio", "flops", "forward_flops"), ("traffic_ratio", "traffic", "forward_traffic"))
"""Columns that are one exact value ÷ another, of the gradient and of the forward."""


def samples(results: Results) -> pd.DataFrame:
    """One row an interleaved pair of an ok time visit.

    Columns: ``cell`` (its id), ``framework``, ``mode``, ``device``, ``dtype``, ``seed``, ``problem``,
    ``method``, ``gradient``, ``label`` (method as shown), ``runner`` (framework, with its mode where it is not
    the usual one), ``sizes`` and ``options`` (dicts), ``worker`` (process, from 0), ``pair`` (order inside the
    worker, from 0), ``forward_s`` and ``gradient_s`` (seconds), ``R`` (their ratio, no unit). Pairs with a time
    that is missing or under a nanosecond are left out, and so is what was computed from shapes alone.
    """
    rows = []
    for visit in counted(results):
        if visit["measure"] == "time" and visit["status"] == "ok" and visit["device"] != "meta":
            of_visit = _identity(visit) | {"worker": visit["worker"]}
            for pair, (forward, gradient) in _pairs(visit):
                rows.append(
                    of_visit | {"pair": pair, "forward_s": forward, "gradient_s": gradient, "R": gradient / forward}
                )
    return pd.DataFrame(rows, columns=list(SAMPLE))


def cells(results: Results) -> pd.DataFrame:
    """One row a cell that was visited.

    Columns: those that name the cell (see ``samples``); ``status`` and ``reason`` of the whole, ``time_status``
    and ``exact_status`` of each measure (empty where it was not taken). What is unknown or did not succeed is NaN.

    From the pairs of times: ``R`` with ``R_low`` and ``R_high`` (95 %, NaN for one worker), ``R_min`` (smallest single
    pair), ``sd_log_R`` (between workers), ``workers``, ``pairs``; in seconds, median over workers: ``forward_s``,
    ``gradient_s``, ``compile_s``, ``overhead_s`` (of an empty timed call); ``overhead_share`` (overhead_s ÷ forward_s).

    Exact values, under the names of the results file, in bytes: ``peak_bytes`` (newly allocated at the peak of one
    gradient call by the exact model), ``held_bytes`` (for the backward pass), ``parameter_bytes``, ``tangent_bytes``,
    ``result_bytes``, ``forward_peak_bytes``; on a GPU the peaks of its real allocator ``device_peak_bytes`` and
    ``device_forward_peak_bytes``, and ``workspace_bytes`` (device peak less the exact model: library workspace and
    rounding). Work: ``flops`` and ``forward_flops`` (counted, matmul and convolution), ``counted_flop_ratio``
    (flops ÷ forward_flops), ``flop_ratio`` (the fewest possible, by hand), ``distance`` (R ÷ flop_ratio); ``traffic``
    and ``forward_traffic`` (bytes that the ops read and write), ``traffic_ratio`` (their quotient). Errors, without
    unit: ``gradient_error``, ``cosine``, ``oracle_deviation``, ``loss``. Solves: ``forward_steps``,
    ``forward_residual``, ``backward_steps``, ``backward_residual``, ``jacobian_norm`` (‖J(z*)‖₂),
    ``spectral_radius`` (ρ(J(z*))). ``parameters`` is their number.

    The machine: ``visits`` (time visits of the cell), and how many of them were ``busy``, ``stolen``, ``throttled``.
    """
    visits: dict[tuple[str, ...], list[Row]] = {}
    for visit in counted(results):
        visits.setdefault(_who(visit), []).append(visit)
    frame = pd.DataFrame([_cell(of_cell) for of_cell in visits.values()], columns=list(CELL))
    return frame.astype({name: float for name in NUMBERS})


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame of cells with its sizes and options as texts."""
    return frame.assign(sizes=frame["sizes"].map(settings), options=frame["options"].map(settings))


def missing(results: Results) -> list[str]:
    """Ids of cells that a run planned and none visited."""
    visited = {visit["cell"] for visit in results.visits}
    planned = dict.fromkeys(cell for run in results.runs for cell in run["cells"])
    return [cell for cell in planned if cell not in visited]


def counted(results: Results) -> list[Row]:
    """The visits that count: of each cell, measure and worker the last that is ok, else the last."""
    found: dict[tuple[Any, ...], Row] = {}
    for visit in results.visits:
        key = (*_who(visit), visit["measure"], visit["worker"])
        if key not in found or visit["status"] == "ok" or found[key]["status"] != "ok":
            found[key] = visit
    return list(found.values())


def _who(visit: Row) -> tuple[str, ...]:
    """What tells cells apart: the id, and the names in the row too, so that no mode stands for another one."""
    return (visit["cell"], *(str(visit.get(name)) for name in IDENTITY))


def _pairs(visit: Row) -> list[tuple[int, tuple[float, float]]]:
    """Index and times of the usable pairs of a visit."""
    forward, gradient = (map(number, visit["samples"].get(name, [])) for name in ("forward_s", "gradient_s"))
    # A comparison with NaN is false, so a pair with an unknown time falls out here too; no call takes under 1 ns.
    return [
        (index, pair)
        for index, pair in enumerate(zip(forward, gradient, strict=False))
        if all(time >= 1e-9 for time in pair)
    ]


def _identity(visit: Row) -> dict[str, Any]:
    """The columns that say which cell a row belongs to."""
    name = label(visit["method"], visit["options"], visit["gradient"])
    parts = {column: visit.get(column) for column in ("cell", *IDENTITY, "sizes", "options")}
    ran = runner(visit["framework"], visit["mode"])
    return parts | {"label": name, "runner": ran, "seed": visit.get("seed") or 0}


def _cell(visits: list[Row]) -> dict[str, Any]:
    """The row of one cell."""
    timed = [visit for visit in visits if visit["measure"] == "time"]
    exact = [visit for visit in visits if visit["measure"] == "exact"]
    status, reason = _status(visits)
    row = _identity(visits[-1]) | {"status": status, "reason": reason}
    row |= {"time_status": _status(timed)[0], "exact_status": _status(exact)[0]}
    row |= {"visits": len(timed)} | {name: sum(name in warnings(one) for one in timed) for name in WARNINGS}
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
        for name, above, below in RATIOS:
            if found[below] > 0:
                row[name] = found[above] / found[below]
        if found["flop_ratio"] > 0:
            row["distance"] = row.get("R", nan) / found["flop_ratio"]
    return row


def warnings(visit: Row) -> list[str]:
    """What the instruments warned of while a visit was timed; empty for a visit that did not record it."""
    return [name for name in (visit.get("conditions") or {}).get("warnings") or [] if isinstance(name, str)]


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
    found = centre([median(values) for values in ratios])
    forward_s = _median(median(forward for forward, _ in pairs) for pairs in workers)
    overhead_s = _median(number(visit["values"].get("overhead_s")) for visit in visits)
    return {
        "R": found.value,
        "R_low": found.low,
        "R_high": found.high,
        "R_min": min((min(values) for values in ratios), default=nan),
        "sd_log_R": found.sd,
        "workers": len(workers),
        "pairs": sum(map(len, workers)),
        "forward_s": forward_s,
        "gradient_s": _median(median(gradient for _, gradient in pairs) for pairs in workers),
        "compile_s": _median(number(visit["values"].get("compile_s")) for visit in visits),
        "overhead_s": overhead_s,
        "overhead_share": overhead_s / forward_s,
        # Of the time visits; the exact visit, where there is one, has the last word.
        "oracle_deviation": max((number(visit["values"].get("oracle_deviation")) for visit in visits), default=nan),
    }


def _median(values: Iterable[float]) -> float:
    """Median of the numbers among ``values``; NaN where there is none."""
    known = [value for value in values if not isnan(value)]
    return median(known) if known else nan
