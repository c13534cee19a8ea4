"""A ratio and its interval, the difference and the quotient of two, and the rule that calls one worse or better.

The one home of these: commands, gate and page take them from here, so that no two of them can drift apart. This module
imports nothing of ours.

Ratios err by factors, so their intervals are Student's t-intervals of mean logarithms. The unit of replication is the
worker process (or the seed): pairs inside one process share its memory layout and its core, so their spread says
nothing of the next process.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import chain
from statistics import fmean, median, stdev, variance
from typing import Any, NamedTuple, Protocol, TypeVar

Key = TypeVar("Key", bound=Hashable)

WORSE, BETTER, UNDECIDED, SAME = "worse", "better", "not decided", "same"
"""What the interval of a quotient of costs says."""

CLASSES = (WORSE, BETTER, UNDECIDED, SAME)
"""In the order in which they are listed."""

MARGIN = 0.05
"""The relative change of a time or of a ratio that is let pass."""

ERROR_RELATIVE, ERROR_ROUNDING, ERROR_ZERO = 1e-9, 1e-14, 1e-12
"""Two float64 gradient errors are the same within this relative difference, where they differ by no more than sums in
another order make the gradient differ (45 units in the last place), or where both are below rounding."""

WALL, CPU = "wall", "cpu"
"""The clocks that calls are timed by: seconds that pass, and seconds that this process computes."""

LEAST_SHARE = 0.9
"""A process that computes less than this share of the time has not had its core."""

LARGEST_LOG = 230.0
"""No quotient lies beyond 10^100; an interval that does says nothing."""


class Estimate(NamedTuple):
    """A value with its 95 % interval, and of how many samples; an exact value is its own interval.

    One sample has a value and no interval (``low`` and ``high`` NaN), none has not even a value. ``sd``: the standard
    deviation of the samples, of their logarithms where they are positive; NaN where one sample cannot tell.
    """

    value: float
    low: float
    high: float
    samples: int
    sd: float = math.nan

    @property
    def known(self) -> bool:
        """Whether there is an interval."""
        return not (math.isnan(self.low) or math.isnan(self.high))

    def scaled(self, factor: float) -> Estimate:
        """Times a positive number that is known exactly."""
        return self._replace(value=factor * self.value, low=factor * self.low, high=factor * self.high)


def exactly(value: float) -> Estimate:
    """A value without noise, such as a number of bytes."""
    return Estimate(value, value, value, 1)


class Timed(Protocol):
    """The samples of a worker process, pair by pair in seconds: by the wall clock, and by the processor's where it was
    read."""

    @property
    def forward_s(self) -> Sequence[float]: ...
    @property
    def gradient_s(self) -> Sequence[float]: ...
    @property
    def forward_cpu_s(self) -> Sequence[float]: ...
    @property
    def gradient_cpu_s(self) -> Sequence[float]: ...


def had_core(wall_s: Iterable[float], cpu_s: Iterable[float]) -> bool:
    """Whether a process had its core while it took so many seconds; so it is believed where it read no other clock."""
    computed = sum(cpu_s)
    return not computed or computed >= LEAST_SHARE * sum(wall_s)


def clock(workers: Iterable[Timed]) -> str:
    """The clock by which the workers of a cell are compared, one for all: the wall clock, but that of the processor
    where one of them did not have its core. A call that the scheduler cuts takes several times as long, and the shorter
    one of a pair is cut less often, so that R itself is wrong by the wall clock."""
    for one in workers:
        if not had_core(chain(one.forward_s, one.gradient_s), chain(one.forward_cpu_s, one.gradient_cpu_s)):
            return CPU
    return WALL


def seconds(worker: Timed, by: str) -> tuple[Sequence[float], Sequence[float]]:
    """Forwards and gradient calls of one worker by a clock; by the wall clock where it read no other."""
    if by == CPU and worker.forward_cpu_s:
        return worker.forward_cpu_s, worker.gradient_cpu_s
    return worker.forward_s, worker.gradient_s


def worker_ratio(forward_s: Sequence[float], gradient_s: Sequence[float]) -> float:
    """The ratio R of one worker process: the median over its pairs of gradient seconds ÷ forward seconds."""
    return median(after / before for before, after in zip(forward_s, gradient_s, strict=True))


def centre(values: Iterable[float], level: float = 0.95) -> Estimate:
    """Median of positive samples, one a worker, with the t-interval of their mean logarithm, exp(m ± t·s/√n).

    Args:
        values: ratios or seconds; those that are not finite and above 0 do not count.
        level: coverage of the interval.
    """
    usable = [value for value in values if math.isfinite(value) and value > 0]
    if not usable:
        return Estimate(math.nan, math.nan, math.nan, 0)
    logs = mean([math.log(value) for value in usable], level)
    # Damaged files hold ratios whose interval is beyond what a float can be.
    low, high = (end if math.isnan(end) else math.exp(max(-700.0, min(end, 700.0))) for end in (logs.low, logs.high))
    return logs._replace(value=median(usable), low=low, high=high)


def mean(values: Iterable[float], level: float = 0.95) -> Estimate:
    """Mean of samples of any sign, such as differences, with a t-interval: m ± t·s/√n."""
    usable = [value for value in values if math.isfinite(value)]
    if len(usable) < 2:
        return Estimate(usable[0] if usable else math.nan, math.nan, math.nan, len(usable))
    middle, sd = fmean(usable), stdev(usable)
    half = float(t_quantile(len(usable) - 1, level)) * sd / math.sqrt(len(usable))
    return Estimate(middle, middle - half, middle + half, len(usable), sd)


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


def paired(above: Mapping[Key, float], below: Mapping[Key, float]) -> Estimate:
    """Of the ratios above[k] ÷ below[k] for each k (a worker, a seed) that has both: first divided, then summarised."""
    pairs = [(above[key], below[key]) for key in above if key in below]
    return centre(one / other for one, other in pairs if other > 0)


def unpaired(above: Sequence[float], below: Sequence[float], level: float = 0.95) -> Estimate:
    """Of two sets of positive samples that have nothing in common, one sample a worker process: median(above) ÷
    median(below), with Welch's t-interval on logarithms.

    With means m of the logarithms the interval is exp(m₁ − m₂ ± ``welch_reach``). Without two samples on both sides
    there is a value and no interval, without one on both sides not even that. ``samples`` is the smaller number of the
    two.
    """
    sides = [[one for one in side if math.isfinite(one) and one > 0] for side in (above, below)]
    few = min(map(len, sides))
    if few == 0:
        return Estimate(math.nan, math.nan, math.nan, 0)
    value = math.log(median(sides[0])) - math.log(median(sides[1]))
    if few == 1 or abs(value) > LARGEST_LOG:
        return Estimate(_power(value), math.nan, math.nan, few)
    logs = [[math.log(one) for one in side] for side in sides]
    middle = fmean(logs[0]) - fmean(logs[1])
    reach = welch_reach([(variance(side) / len(side), len(side) - 1) for side in logs], level)
    if abs(middle) + reach > LARGEST_LOG:
        return Estimate(_power(value), math.nan, math.nan, few)
    return Estimate(_power(value), math.exp(middle - reach), math.exp(middle + reach), few)


def welch_reach(sides: Iterable[tuple[float, float]], level: float = 0.95) -> float:
    """Half of Welch's t-interval of a difference of means, t·s: s² = Σ v/n, and t has (s²)² ÷ Σ (v/n)²/(n − 1) degrees
    of freedom (Satterthwaite).

    Args:
        sides: v/n and n − 1 of each of the two, for a variance v of n samples.
        level: coverage of the interval.
    """
    both = list(sides)
    total = sum(share for share, _ in both)
    if not total > 0:
        return 0.0
    # Divided by the sum first: squares of tiny variances would underflow to zero.
    freedom = 1 / sum((share / total) ** 2 / free for share, free in both)
    return float(t_quantile(freedom, level)) * math.sqrt(total)


def welch_p(low: Any, high: Any, samples: Any, i: Any, j: Any) -> Any:
    """p of Welch's t-test of the mean logarithms of the pairs (i, j).

    Args:
        low, high: (n,) float64, ends of 95 % t-intervals as ``centre`` makes them; an interval of no width is of an
            exact value.
        samples: (n,), how many samples each has.
        i, j: (pairs,) integers, places in those.

    Returns:
        (pairs,) float64; NaN where one has no interval.
    """
    import numpy as np
    from scipy.special import stdtr

    with np.errstate(all="ignore"):  # what is no interval of a positive cost comes out as NaN
        middle, half = (np.log(low) + np.log(high)) / 2, (np.log(high) - np.log(low)) / 2
        free = np.where(samples > 1, samples - 1, np.nan)
        share = np.where(low == high, 0.0, (half / t_quantile(free)) ** 2)
        free = np.where(low == high, 1.0, free)
        total = share[i] + share[j]
        degrees = total**2 / (share[i] ** 2 / free[i] + share[j] ** 2 / free[j])
        return 2 * stdtr(degrees, -np.abs(middle[i] - middle[j]) / np.sqrt(total))


def geometric_mean(values: Iterable[float]) -> float:
    """Of positive numbers; NaN where there is none."""
    usable = [math.log(one) for one in values if math.isfinite(one) and one > 0]
    return math.exp(fmean(usable)) if usable else math.nan


def judge(found: Estimate, margin: float = MARGIN) -> str:
    """What the whole interval of a quotient of costs says: ``worse`` where it lies above 1 + margin, ``better`` below
    1 ÷ (1 + margin), ``same`` between the two; ``not decided`` where it crosses one of them or there is none."""
    if not found.known:
        return UNDECIDED
    worse, better, same = beyond(found.low, found.high, margin)
    return WORSE if worse else BETTER if better else SAME if same else UNDECIDED


def beyond(low: Any, high: Any, margin: Any) -> tuple[Any, Any, Any]:
    """Whether the interval from ``low`` to ``high`` lies above 1 + margin, below 1 ÷ (1 + margin), or between the two;
    of numbers, or element by element of arrays."""
    most = 1 + margin
    return low > most, high < 1 / most, (low >= 1 / most) & (high <= most)


def same_error(before: float, after: float) -> bool:
    """Whether two relative errors of a float64 gradient are the same, up to what rounding makes of them."""
    near = abs(after - before) <= max(ERROR_RELATIVE * abs(before), ERROR_ROUNDING)
    return near or max(abs(before), abs(after)) < ERROR_ZERO


def holm(p: Sequence[float]) -> list[float]:
    """The p-values of several tests, corrected: with all hypotheses true, any of them falls below a level in at most
    that share of draws, however the tests depend on each other.

    Holm's step-down: the k-th smallest of n is multiplied by n − k + 1; none ends below a smaller one, or above 1.
    S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6, 1979.
    """
    order = sorted(range(len(p)), key=p.__getitem__)
    found, least = [0.0] * len(p), 0.0
    for place, index in enumerate(order):
        least = max(least, min(1.0, (len(p) - place) * p[index]))
        found[index] = least
    return found


def t_quantile(freedom: Any, level: float = 0.95) -> Any:
    """The two-sided quantile of Student's t; of a number, or element by element of arrays."""
    from scipy.special import stdtrit  # a tenth of the time that importing scipy.stats takes; the same number

    return stdtrit(freedom, (1 + level) / 2)


def _power(log: float) -> float:
    """e to the power ``log``; NaN where that is beyond what is shown."""
    return math.exp(log) if abs(log) <= LARGEST_LOG else math.nan
