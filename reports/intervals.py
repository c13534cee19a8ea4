"""Estimates with 95 % intervals, of samples that one process or one seed each gave."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from statistics import fmean, stdev
from typing import NamedTuple, TypeVar

from scipy import stats

from reports.statistics import ratio

Key = TypeVar("Key", bound=Hashable)


class Estimate(NamedTuple):
    """A value with its 95 % interval, and of how many samples; an exact value is its own interval.

    One sample has a value and no interval (``low`` and ``high`` NaN), none has not even a value.
    """

    value: float
    low: float
    high: float
    samples: int

    def scaled(self, factor: float) -> Estimate:
        """Times a positive number that is known exactly."""
        return Estimate(factor * self.value, factor * self.low, factor * self.high, self.samples)


def exactly(value: float) -> Estimate:
    """A value without noise, such as a number of bytes."""
    return Estimate(value, value, value, 1)


def centre(values: Iterable[float]) -> Estimate:
    """Median of positive samples, such as ratios or seconds, with a t-interval on their logarithms."""
    usable = [value for value in values if math.isfinite(value) and value > 0]
    found = ratio(usable)
    return Estimate(found.value, found.low, found.high, len(usable))


def quotient(above: Mapping[Key, float], below: Mapping[Key, float]) -> Estimate:
    """Of the ratios above[k] ÷ below[k] for each k (a worker, a seed) that has both: first divided, then summarised."""
    pairs = [(above[key], below[key]) for key in above if key in below]
    return centre(one / other for one, other in pairs if other > 0)


def mean(values: Iterable[float], level: float = 0.95) -> Estimate:
    """Mean of samples of any sign, such as differences, with a t-interval: m ± t·s/√n."""
    usable = [value for value in values if math.isfinite(value)]
    if len(usable) < 2:
        return Estimate(usable[0] if usable else math.nan, math.nan, math.nan, len(usable))
    middle = fmean(usable)
    half = float(stats.t.ppf((1 + level) / 2, len(usable) - 1)) * stdev(usable) / math.sqrt(len(usable))
    return Estimate(middle, middle - half, middle + half, len(usable))


def difference(one: Mapping[Key, float], other: Mapping[Key, float]) -> Estimate:
    """Mean of the differences one[k] − other[k] for each k (a seed) that has both.

    An infinite one makes the mean infinite and leaves the interval open on its side; where all are, the interval is at
    infinity too, unless it is a single one. Infinite in both is no difference that anybody knows.
    """
    every = [value for value in (one[key] - other[key] for key in one if key in other) if value == value]
    found, ends = mean(every), {value for value in every if math.isinf(value)}
    if not ends:
        return found
    if len(every) == 1:
        return Estimate(every[0], math.nan, math.nan, 1)
    if not found.samples and len(ends) == 1:
        return Estimate(every[0], every[0], every[0], len(every))
    low = -math.inf if -math.inf in ends else found.low
    high = math.inf if math.inf in ends else found.high
    return Estimate(max(ends), low, high, len(every))
