"""The one statistic of this page: R of a cell and its interval, from one value a worker process."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, median, stdev
from typing import NamedTuple

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
