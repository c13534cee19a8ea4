"""How long one method trains until it is where another one got: iterations, seed by seed, then seconds."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isfinite, nan
from statistics import median

import pandas as pd

from bench.stats import Estimate, centre
from reports.claims import runs
from reports.claims.select import groups


def shares(own: pd.DataFrame, other: pd.DataFrame) -> dict[str, float]:
    """Of each seed that both have: iterations until ``own`` is at the least loss of ``other``'s curve ÷ those that
    ``other`` needs; infinite where ``own`` never gets there. A seed on which ``other`` learns nothing has none."""
    curves, targets = _curves(own), _curves(other)
    found = {}
    for seed in curves.keys() & targets.keys():
        loss = min((loss for _, loss in targets[seed].points), default=inf)
        taken = targets[seed].reaches(loss) if isfinite(loss) else inf
        if 0 < taken < inf:
            found[seed] = curves[seed].reaches(loss) / taken
    return dict(sorted(found.items()))


def times(ratios: Mapping[str, float], seconds: Estimate) -> Estimate:
    """Median over seeds of a ratio of iterations × that of the seconds of an iteration.

    The interval is the product of both ends, wider than 95 %. With an infinite ratio it has no upper end, and with none
    else no end at all; one seed has no interval.
    """
    never = sum(one == inf for one in ratios.values())
    if len(ratios) == never:
        end = inf if never > 1 else nan
        return Estimate(inf if never else nan, end, end, never)
    finite = centre(one for one in ratios.values() if one < inf)
    low, high = finite.low * seconds.low, inf if never else finite.high * seconds.high
    return Estimate(median(ratios.values()) * seconds.value, low, high, len(ratios))


def _curves(frame: pd.DataFrame) -> dict[str, runs.Curve]:
    return {names.get("seed", ""): runs.curve(of_seed) for names, of_seed in groups(frame, "seed")}
