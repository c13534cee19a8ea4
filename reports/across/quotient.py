"""The quotient of two independent measurements with its interval, and the one word that this gives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, median, variance

from scipy import stats

from reports.intervals import Estimate

WORSE, BETTER, UNDECIDED, SAME = "worse", "better", "not decided", "same"

CLASSES = (WORSE, BETTER, UNDECIDED, SAME)
"""In the order in which they are listed."""

MARGIN = 0.05
"""The relative change of R that is let pass: quotients between 1 ÷ 1.05 and 1.05 are the same."""

LARGEST_LOG = 230.0
"""No quotient lies beyond 10^100; an interval that does says nothing."""


def quotient(above: Sequence[float], below: Sequence[float], level: float = 0.95) -> Estimate:
    """Of two sets of positive samples, one sample a worker process: median(above) ÷ median(below), with Welch's
    t-interval on logarithms.

    With means m, variances v and numbers n of the logarithms, the interval is exp(m₁ − m₂ ± t·s), s² = v₁/n₁ + v₂/n₂,
    and t has (s²)² ÷ ((v₁/n₁)²/(n₁ − 1) + (v₂/n₂)²/(n₂ − 1)) degrees of freedom. The workers of two runs have nothing
    in common, so nothing is paired. Without two samples on both sides there is a value and no interval (NaN), without
    one on both sides not even that. ``samples`` is the smaller number of the two.
    """
    sides = [[one for one in side if math.isfinite(one) and one > 0] for side in (above, below)]
    few = min(map(len, sides))
    if few == 0:
        return Estimate(math.nan, math.nan, math.nan, 0)
    value = math.log(median(sides[0])) - math.log(median(sides[1]))
    logs = [[math.log(one) for one in side] for side in sides]
    if few == 1 or abs(value) > LARGEST_LOG:
        return Estimate(_power(value), math.nan, math.nan, few)
    shares = [variance(side) / len(side) for side in logs]
    error = math.sqrt(sum(shares))
    middle, reach = fmean(logs[0]) - fmean(logs[1]), 0.0
    if error > 0:
        # Divided by the sum first: squares of tiny variances would underflow to zero.
        parts = [share / sum(shares) for share in shares]
        freedom = 1 / sum(part**2 / (len(side) - 1) for part, side in zip(parts, logs, strict=True))
        reach = float(stats.t.ppf((1 + level) / 2, freedom)) * error
    if abs(middle) + reach > LARGEST_LOG:
        return Estimate(_power(value), math.nan, math.nan, few)
    return Estimate(_power(value), math.exp(middle - reach), math.exp(middle + reach), few)


def judge(found: Estimate, margin: float = MARGIN) -> str:
    """What the whole interval of a quotient of costs says: ``worse`` where it lies above 1 + margin, ``better`` below
    1 ÷ (1 + margin), ``same`` between the two; ``not decided`` where it crosses one of them or there is none."""
    most = 1 + margin
    if math.isnan(found.low) or math.isnan(found.high):
        return UNDECIDED
    if found.low > most or found.high < 1 / most:
        return WORSE if found.low > most else BETTER
    return SAME if found.low >= 1 / most and found.high <= most else UNDECIDED


def geometric_mean(values: Sequence[float]) -> float:
    """Of positive numbers; NaN where there is none."""
    usable = [math.log(one) for one in values if math.isfinite(one) and one > 0]
    return math.exp(fmean(usable)) if usable else math.nan


def _power(log: float) -> float:
    """e to the power ``log``; NaN where that is beyond what is shown."""
    return math.exp(log) if abs(log) <= LARGEST_LOG else math.nan
