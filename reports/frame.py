"""Results as tidy frames: one row an interleaved pair of times, one row a cell."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from math import isfinite, isnan, nan
from operator import attrgetter
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from bench.rows import Samples, Values, VisitRow
from bench.stats import WALL, centre, clock, seconds
from reports.labels import label, runner, settings
from reports.load import IDENTITY, Results, identity
from reports.numbers import number

NAMING = ("cell", *IDENTITY, "label", "runner", "sizes", "options")
"""Columns that say which cell a row belongs to."""

TIMES = ("compile_s", "overhead_s", "oracle_deviation")
"""Values of a time visit."""

EXACT = tuple(
    name for name in Values.__struct_fields__ if name not in ("compile_s", "overhead_s", "checked_batch")
)  # fmt: skip
"""Values of an exact visit."""

TIME = (
    *("R", "R_low", "R_high", "R_min", "sd_log_R", "workers", "pairs", "forward_s", "gradient_s"),
    *("compile_s", "overhead_s", "overhead_share"),
)
"""What comes of the time visits of a cell."""

RATIOS = (("counted_flop_ratio", "flops", "forward_flops"), ("traffic_ratio", "traffic", "forward_traffic"))
"""Columns that are one exact value ÷ another, of the gradient and of the forward."""

DERIVED = ("counted_flop_ratio", "distance", "traffic_ratio")

WARNINGS = ("busy", "stolen", "throttled")

NUMBERS = (*TIME, *EXACT, *DERIVED, "visits", *WARNINGS)
"""The time visits of a cell, and how many of them a warning of the machine stands on, are the last of these."""

CELL = (*NAMING, "status", "reason", "time_status", "exact_status", "clock", *NUMBERS)
TEXTS = tuple(name for name in NAMING if name not in ("seed", "sizes", "options"))
SAMPLE = (*NAMING, "worker", "pair", "forward_s", "gradient_s", "R")

SEVERITY = ("wrong", "diverged", "failed", "oom", "timeout", "n/a", "ok")
"""A cell has the first of these that any of its visits has: one wrong worker discredits the others."""

SHORTEST = 1e-9
"""Seconds; no call takes less."""


def samples(results: Results) -> pd.DataFrame:
    """One row an interleaved pair of an ok time visit.

    Columns: ``cell`` (its id), ``framework``, ``mode``, ``device``, ``dtype``, ``seed``, ``problem``,
    ``method``, ``gradient``, ``label`` (method as shown), ``runner`` (framework, with its mode where it is not
    the usual one), ``sizes`` and ``options`` (dicts), ``worker`` (process, from 0), ``pair`` (order inside the
    worker, from 0), ``forward_s`` and ``gradient_s`` (seconds by the clock of the cell), ``R`` (their ratio, no
    unit). Pairs with a time under a nanosecond are left out, and so is what was computed from shapes alone.
    """
    timed = [visit for visit in results.counted if _is_timed(visit) and visit.device != "meta"]
    pairs = _pairs(timed)
    known: dict[tuple[Any, ...], int] = {}
    named: list[dict[str, Any]] = []
    codes = np.empty(len(timed), int)
    for place, visit in enumerate(timed):  # rows of one cell share their tables
        codes[place] = number_ = known.setdefault((identity(visit), id(visit.sizes), id(visit.options)), len(known))
        if number_ == len(named):
            named.append(_naming(visit))
    of_pair = codes[pairs["visit"]]
    columns: dict[str, Any] = {}
    for name in NAMING:
        values = np.empty(len(named), object)
        values[:] = [one[name] for one in named]
        if name in TEXTS:  # each text once, however many rows have it
            known_texts = list(dict.fromkeys(values))
            place_of = {text: place for place, text in enumerate(known_texts)}
            own = np.array([place_of[text] for text in values], int)
            columns[name] = pd.Categorical.from_codes(own[of_pair], known_texts)
        else:
            columns[name] = (values.astype(int) if name == "seed" else values)[of_pair]
    columns["worker"] = np.array([visit.worker for visit in timed], int)[pairs["visit"]]
    columns |= {name: pairs[name].to_numpy() for name in ("pair", "forward_s", "gradient_s", "R")}
    return pd.DataFrame(columns, columns=list(SAMPLE))


def cells(results: Results) -> pd.DataFrame:
    """One row a cell that was visited.

    Columns: those that name the cell (see ``samples``); ``status`` and ``reason`` of the whole, ``time_status``
    and ``exact_status`` of each measure (empty where it was not taken). What is unknown or did not succeed is NaN.

    ``clock``: what the times are by, ``wall``, or ``cpu`` where a worker did not have its core.

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
    places: dict[tuple[Any, ...], list[int]] = {}
    clocks = _clocks([visit for visit in results.counted if _is_timed(visit)])
    for place, visit in enumerate(results.counted):
        places.setdefault(identity(visit), []).append(place)
    workers = _workers(results.counted)
    rows = [
        _cell([results.counted[place] for place in ours], workers.loc[workers.index.intersection(ours)])
        | {"clock": clocks.get(cell, WALL)}
        for cell, ours in places.items()
    ]
    return pd.DataFrame(rows, columns=list(CELL)).astype({name: float for name in NUMBERS})


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame of cells with its sizes and options as texts."""
    return frame.assign(sizes=frame["sizes"].map(settings), options=frame["options"].map(settings))


def warnings(visit: VisitRow) -> list[str]:
    """What the instruments warned of while a visit was timed; empty for a visit that did not record it."""
    return visit.conditions.warnings if visit.conditions else []


def _is_timed(visit: VisitRow) -> bool:
    return visit.measure == "time" and visit.status == "ok"


def _clocks(visits: Sequence[VisitRow]) -> dict[Any, str]:
    """By the identity of each cell the clock that R is of, see ``bench.stats.clock``."""
    found: dict[Any, list[Samples]] = {}
    for visit in visits:
        if visit.samples.forward_cpu_s:
            found.setdefault(identity(visit), []).append(visit.samples)
    return {cell: clock(samples) for cell, samples in found.items()}


def _pairs(visits: Sequence[VisitRow]) -> pd.DataFrame:
    """One row a usable pair of visits that are timed: ``visit`` (its place), ``pair``, and by the clock of the cell
    ``forward_s``, ``gradient_s`` and ``R``."""
    counts = np.array([len(visit.samples.forward_s) for visit in visits], int)
    clocks = _clocks(visits)
    taken = [seconds(visit.samples, clocks.get(identity(visit), WALL) if clocks else WALL) for visit in visits]
    forward, gradient = (
        np.fromiter(chain.from_iterable(one[which] for one in taken), float, counts.sum()) for which in (0, 1)
    )
    place = np.repeat(np.arange(len(visits)), counts)
    pair = np.arange(len(place)) - np.repeat(counts.cumsum() - counts, counts)
    good = (forward >= SHORTEST) & (gradient >= SHORTEST)
    found = pd.DataFrame({"visit": place, "pair": pair, "forward_s": forward, "gradient_s": gradient})[good]
    return found.assign(R=found["gradient_s"] / found["forward_s"])


def _workers(visits: Sequence[VisitRow]) -> pd.DataFrame:
    """By the place of each ok time visit with a usable pair: the medians over its pairs of ``R``, ``forward_s`` and
    ``gradient_s``, the smallest R (``R_min``), and how many ``pairs`` there are."""
    places = [place for place, visit in enumerate(visits) if _is_timed(visit)]
    pairs = _pairs([visits[place] for place in places])
    grouped = pairs.groupby("visit")
    found = grouped[["R", "forward_s", "gradient_s"]].median().assign(R_min=grouped["R"].min(), pairs=grouped.size())
    return found.set_axis(np.array(places, int)[found.index])


def _naming(visit: VisitRow) -> dict[str, Any]:
    """The columns that say which cell a row belongs to."""
    return {name: getattr(visit, name) for name in ("cell", *IDENTITY, "sizes", "options")} | {
        "label": label(visit.method, visit.options, visit.gradient),
        "runner": runner(visit.framework, visit.mode),
    }


def _cell(visits: list[VisitRow], workers: pd.DataFrame) -> dict[str, Any]:
    """The row of one cell; ``workers``: what each of them found (see ``_workers``)."""
    timed = [visit for visit in visits if visit.measure == "time"]
    exact = [visit for visit in visits if visit.measure == "exact"]
    status, reason = _status(visits)
    row = _naming(visits[-1]) | {"status": status, "reason": reason}
    row |= {"time_status": _status(timed)[0], "exact_status": _status(exact)[0]}
    warned = list(chain.from_iterable(map(warnings, timed)))
    row |= {"visits": len(timed)} | {name: warned.count(name) for name in WARNINGS}
    # A gradient that is off its oracle once is not to be trusted at all: no number of the cell counts.
    distrusted = status in ("wrong", "diverged")
    if row["time_status"] == "ok" and not distrusted:
        row |= _time(timed, workers)
        if not row["workers"]:
            row |= {
                "status": "failed",
                "time_status": "failed",
                "reason": "no usable pair of times was recorded",
            }
    if row["exact_status"] == "ok" and not distrusted:
        found = {name: number(getattr(exact[-1].values, name)) for name in EXACT}
        row |= {name: value for name, value in found.items() if not isnan(value)}
        for name, above, below in RATIOS:
            row[name] = _quotient(found[above], found[below])
        row["distance"] = _quotient(row.get("R", nan), found["flop_ratio"])
    return row


def _quotient(above: float, below: float) -> float:
    """NaN where it is none, or beyond what a float can be, as in damaged files."""
    found = above / below if below > 0 else nan
    return found if isfinite(found) else nan


def _status(visits: list[VisitRow]) -> tuple[str, str]:
    """The worst status and its reason, which says how many visits share it when others do not."""
    if not visits:
        return "", ""
    worst = min({visit.status for visit in visits}, key=SEVERITY.index)
    having = [visit for visit in visits if visit.status == worst]
    reasons = [visit.reason for visit in having if visit.reason]
    reason = reasons[-1] if reasons else ("" if worst == "ok" else "no reason was recorded")
    return worst, reason if len(having) == len(visits) else f"{len(having)} of {len(visits)} visits: {reason}"


def _time(visits: list[VisitRow], workers: pd.DataFrame) -> dict[str, float]:
    """R and times from the visits of all workers, and what each of these found (see ``_workers``)."""
    found = centre(workers["R"].tolist())
    forward_s = _median(workers["forward_s"].tolist())
    overhead_s = _median(_known(visits, "overhead_s"))
    return {
        "R": found.value,
        "R_low": found.low,
        "R_high": found.high,
        "R_min": min(workers["R_min"].tolist(), default=nan),
        "sd_log_R": found.sd,
        "workers": len(workers),
        "pairs": int(workers["pairs"].sum()),
        "forward_s": forward_s,
        "gradient_s": _median(workers["gradient_s"].tolist()),
        "compile_s": _median(_known(visits, "compile_s")),
        "overhead_s": overhead_s,
        "overhead_share": overhead_s / forward_s,
        # Of the time visits; the exact visit, where there is one, has the last word.
        "oracle_deviation": max(_known(visits, "oracle_deviation"), default=nan),
    }


def _known(visits: list[VisitRow], name: str) -> list[float]:
    """A value of those visits that have it."""
    value = attrgetter(name)
    return [float(one) for one in (value(visit.values) for visit in visits) if one is not None]


def _median(values: list[float]) -> float:
    """The median; NaN where there is none."""
    return median(values) if values else nan
