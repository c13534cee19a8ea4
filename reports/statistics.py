"""The statistics of this page: R of a cell and its interval, from one value a worker process; many tests at once; and
what is said of an R below 1."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, median, stdev
from typing import Any, NamedTuple

import numpy as np
from scipy import stats


class Ratio(NamedTuple):
    """R with its 95 % interval and the sd of log R between workers; NaN where one worker cannot tell."""

    value: float
    low: float
    high: float
    sd_log: float


def ratio(per_worker: Sequence[float], level: float = 0.95) -> Ratio:
    """Median over workers, and a t-interval on their logarithms: exp(m ± t·s/√n) with mean m and sd s.

    Worker processes are the unit of replication: pairs inside one process share its memory layout and its
    core, so their spread says nothing about the next process.
    """
    if not per_worker:
        return Ratio(math.nan, math.nan, math.nan, math.nan)
    logs = [math.log(value) for value in per_worker]
    if len(logs) < 2:
        return Ratio(median(per_worker), math.nan, math.nan, math.nan)
    centre, sd = fmean(logs), stdev(logs)
    half = float(stats.t.ppf((1 + level) / 2, len(logs) - 1)) * sd / math.sqrt(len(logs))
    return Ratio(median(per_worker), math.exp(centre - half), math.exp(centre + half), sd)


def holm(p: Sequence[float]) -> list[float]:
    """The p-values of several tests, corrected: with all hypotheses true, any of them falls below a level in at most
    that share of draws, however the tests depend on each other.

    Holm's step-down: the k-th smallest of n is multiplied by n − k + 1; none ends below a smaller one, or above 1.
    S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6, 1979.
    """
    values = np.asarray(p, dtype=float)
    order = np.argsort(values, kind="stable")
    steps = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    found = np.empty_like(values)
    found[order] = np.minimum(steps, 1.0)
    return [float(one) for one in found]


NO_UNIT = "below 1, no unit"
"""What stands beside an R whose interval lies below 1."""

SLOW = "the forward runs slower than the same forward inside its own gradient, so it is no unit"
"""Why such an R says nothing of the gradient: the gradient contains a forward."""

CAUSES: tuple[tuple[Mapping[str, Any], Mapping[str, Any], str], ...] = (
    (
        {"framework": "jax", "device": "cpu", "problem": "mlp"},
        {"batch": 512, "width": 512},
        "XLA (jaxlib 0.10.2) compiles this forward into one library fusion (YNNPACK: all three products with their "
        "biases, ReLUs and the row maximum of log-softmax), which at batch 512 and width 512 computes the second "
        "hidden layer’s product 8 times, once for each tile of 64 columns that reads it (1 211 million multiply-adds "
        "where 271 million are needed); in the gradient the activations are results of their own, so every product is "
        "a fusion of its own and runs once: the forward is slow, the gradient is not fast",
    ),
)
"""Causes that were found: columns and sizes of the cells, and the sentence."""


def no_unit(row: Mapping[Any, Any]) -> bool:
    """Whether the whole interval of a cell's R, in its own forward, lies below 1."""
    high = row.get("R_high")
    return isinstance(high, float | int) and high < 1


def note(rows: Iterable[Mapping[Any, Any]]) -> str:
    """What a figure of R says below it of cells whose R is no unit, with a space before it; empty where none is."""
    low = [row for row in rows if no_unit(row)]
    return f" R of {len(low)} cell{'s' if len(low) > 1 else ''} here is {NO_UNIT}. {causes(low)}" if low else ""


def causes(rows: Iterable[Mapping[Any, Any]]) -> str:
    """Why R of these cells lies below 1, as sentences: what holds of all, then what is known of some."""
    rows = list(rows)
    known = [
        words
        for columns, sizes, words in CAUSES
        if any(
            all(row.get(name) == one for name, one in columns.items()) and sizes.items() <= row["sizes"].items()
            for row in rows
        )
    ]
    return " ".join(f"{one[:1].upper()}{one[1:]}." for one in (SLOW, *known))
