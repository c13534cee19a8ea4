"""Which of several settings cost the least, which are tied with it, and which of the tied are better in all else.

found = ranked(pd.DataFrame({"cost": …, "low": …, "high": …, "samples": …, "error": …, "memory": …}))
found["tied"], found["dominated_by"], found["named"]
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.stats import holm, welch_p

MEASURES = ("error", "memory")
"""Columns that settings of one cost are compared by; less is better."""

LEVEL = 0.05
"""Share of draws in which, of settings that all cost the same, any two are told apart, at most."""

SAME = 1e-12
"""Relative difference of two costs without noise that is rounding."""

Matrix = npt.NDArray[np.bool_]


def ranked(frame: pd.DataFrame, measures: Sequence[str] = MEASURES) -> pd.DataFrame:
    """The settings with ``tied``, ``dominated_by`` and ``named``, from the least costly on.

    Columns: ``cost`` with ``low`` and ``high`` (95 %; NaN where one worker gives none; both equal to an exact cost),
    ``samples`` (workers behind them), and those of ``measures``, NaN where nobody measured them.

    Tied is what is not told apart (see ``told_apart``) from the least cost, and the least cost itself. Of two that are
    tied one dominates where it is not told to cost more, no measure of it is worse, and one is better. A measure that
    neither has decides nothing; one that only one of them has leaves both. ``dominated_by`` is the label of the least
    costly setting that dominates, of those that nothing dominates first, and None without one; ``named`` are the tied
    that nothing dominates: one, or several between which these data cannot choose.
    """
    found = frame.sort_values("cost", kind="stable")
    apart = told_apart(found)
    tied = ~apart[0] if len(found) else np.zeros(0, dtype=bool)
    dearer = apart & (found["cost"].to_numpy()[:, None] > found["cost"].to_numpy()[None, :])
    sure = found["low"].notna().to_numpy()  # what may cost anything is better than nothing
    better = _better(found[list(measures)].to_numpy(dtype=float)) & ~dearer & (tied & sure)[:, None] & tied[None, :]
    named = tied & ~better.any(axis=0)
    by = [
        # The least costly that is named; where the last of a chain is told to cost more than its first, another one.
        min(np.flatnonzero(better[:, place]).tolist(), key=lambda one: (not named[one], one), default=None)
        for place in range(len(found))
    ]
    labels = [None if one is None else found.index[one] for one in by]
    return found.assign(tied=tied, dominated_by=pd.Series(labels, index=found.index, dtype=object), named=named)


def told_apart(frame: pd.DataFrame) -> Matrix:
    """Which pairs of costs are told apart, as a symmetric table of flags.

    Two are where their 95 % intervals do not overlap and Welch's t-test on the mean logarithms, which the intervals are
    made from, has p < 0.05 after Holm's correction for all pairs of the frame: without it, of 16 equal settings with
    eight workers one is told apart in 18 of 100 draws. Costs without noise are told apart where they differ. A cost
    without an interval is told from nothing.
    """
    cost, low, high = (frame[name].to_numpy(dtype=float) for name in ("cost", "low", "high"))
    exact = low == high
    i, j = np.triu_indices(len(frame), 1)
    differ = np.abs(cost[i] - cost[j]) > SAME * np.maximum(np.abs(cost[i]), np.abs(cost[j]))
    disjoint = (low[i] > high[j]) | (low[j] > high[i])
    p = welch_p(low, high, frame["samples"].to_numpy(dtype=float), i, j)
    certain, tested = exact[i] & exact[j], disjoint & ~np.isnan(p)
    corrected = np.ones(len(i))
    noisy = ~certain
    corrected[noisy] = holm(np.where(np.isnan(p[noisy]), 1.0, p[noisy]).tolist())
    flags = np.where(certain, differ, tested & (corrected < LEVEL))
    found = np.zeros((len(frame), len(frame)), dtype=bool)
    found[i, j] = found[j, i] = flags
    return found


def _better(values: npt.NDArray[np.float64]) -> Matrix:
    """Whether row i is as good as row j in every measure and better in one."""
    one, other = values[:, None, :], values[None, :, :]
    neither = np.isnan(one) & np.isnan(other)
    return np.asarray(((one <= other) | neither).all(axis=2) & (one < other).any(axis=2), dtype=bool)
