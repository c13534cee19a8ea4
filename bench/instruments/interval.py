"""From the pairs of each worker process to one ratio with a 95 % interval."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence


def worker_ratio(forward_s: Sequence[float], gradient_s: Sequence[float]) -> float:
    """The ratio R of one worker process: the median over its pairs of gradient seconds ÷ forward seconds."""
    return statistics.median(after / before for before, after in zip(forward_s, gradient_s, strict=True))


def t_interval_log(values: Sequence[float], level: float = 0.95) -> tuple[float, float | None, float | None]:
    """``(median, low, high)`` of positive per-worker values; the ends are None for fewer than two of them.

    The interval is Student's t-interval of the mean logarithm, exp(m ± t·s/√n): a ratio errs by factors, and
    worker processes, unlike the pairs inside one of them, are independent.
    """
    middle = statistics.median(values)
    if len(values) < 2:
        return middle, None, None
    from scipy.special import stdtrit

    logs = [math.log(value) for value in values]
    reach = float(stdtrit(len(logs) - 1, (1 + level) / 2)) * statistics.stdev(logs) / math.sqrt(len(logs))
    centre = statistics.fmean(logs)
    return middle, math.exp(centre - reach), math.exp(centre + reach)
