"""Training runs: the best rate of a method, where its runs end, and when its loss reaches another's."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, nan
from statistics import fmean

import pandas as pd

from reports.claims.select import entries, groups
from reports.numbers import number


@dataclass(frozen=True)
class Curve:
    """The mean training loss over seeds at each recorded iteration, in order; infinite once a seed has diverged."""

    points: tuple[tuple[float, float], ...]

    @property
    def iterations(self) -> float:
        """At the last record."""
        return self.points[-1][0] if self.points else nan

    @property
    def loss(self) -> float:
        """At the last record; infinite where there is none, so that no such run is the best."""
        return self.points[-1][1] if self.points else inf

    def reaches(self, loss: float) -> float:
        """The iteration at which the mean first is at ``loss``, on straight lines between the records; infinite where
        it never is."""
        before: tuple[float, float] | None = None
        for iteration, here in self.points:
            if here <= loss:
                if before is None or not isfinite(before[1]):
                    return iteration
                share = (before[1] - loss) / (before[1] - here)
                return before[0] + share * (iteration - before[0])
            before = iteration, here
        return inf


def curve(frame: pd.DataFrame) -> Curve:
    """Of the runs in a frame of records, which differ in their seeds."""
    held = [name for name in ("seed", "iteration", "loss") if name in frame.columns]
    runs = [_losses(of_seed) for _, of_seed in groups(frame[held], "seed")]
    every = sorted({iteration for run in runs for iteration in run})
    last = [max(run, default=-inf) for run in runs]
    points = []
    for iteration in every:
        losses = [run[iteration] for run in runs if iteration in run]
        if any(end < iteration for end in last):
            points.append((iteration, inf))
        elif len(losses) == len(runs):
            points.append((iteration, fmean(losses)))
    return Curve(tuple(points))


def best(frame: pd.DataFrame, column: str = "rate") -> pd.DataFrame:
    """The runs at the rate whose mean final loss over seeds is least, never by test error.

    A seed that diverges makes the mean infinite; where one does at every rate, the fewest that do, then the mean of the
    others, decide.
    """
    tried = [
        (diverged(of_rate), _mean(of_rate), place, of_rate) for place, (_, of_rate) in enumerate(groups(frame, column))
    ]
    return min(tried, key=lambda one: one[:3])[3] if tried else frame


def diverged(frame: pd.DataFrame) -> int:
    """How many seeds end without a loss."""
    return sum(not isfinite(curve(of_seed).loss) for _, of_seed in groups(frame, "seed"))


def _mean(frame: pd.DataFrame) -> float:
    """Final loss over the seeds that have one."""
    ends = [curve(of_seed).loss for _, of_seed in groups(frame, "seed")]
    return fmean([loss for loss in ends if isfinite(loss)] or [inf])


def final_errors(frame: pd.DataFrame) -> dict[str, float]:
    """Test error in percent at the last record of each seed's run; infinite where the run diverged."""
    found: dict[str, float] = {}
    for names, of_seed in groups(frame, "seed"):
        error = inf if diverged(of_seed) else number(_last(of_seed, "test_error"))
        if error == error:
            found[names.get("seed", "")] = 100 * error
    return found


def failed(frame: pd.DataFrame, column: str = "failed") -> int:
    """Solves above their tolerance, of all seeds: ``failed`` while training, ``unscored`` while scoring; each record
    counts those so far."""
    counts = (number(_last(of_seed, column)) for _, of_seed in groups(frame, "seed"))
    return sum(int(count) for count in counts if count > 0)


def _last(frame: pd.DataFrame, name: str) -> object:
    """What the last record of a run has in a column."""
    pairs = zip(entries(frame, "iteration"), entries(frame, name), strict=True)
    return max(pairs, key=lambda pair: _or(pair[0], -inf))[1]


def seeds(frame: pd.DataFrame) -> int:
    """How many there are."""
    return sum(1 for _ in groups(frame, "seed"))


def _losses(frame: pd.DataFrame) -> dict[float, float]:
    """The losses of one run by iteration; a record without one is of a run that diverged there."""
    pairs = zip(map(number, entries(frame, "iteration")), entries(frame, "loss"), strict=True)
    return {iteration: _or(loss, inf) for iteration, loss in pairs if isfinite(iteration)}


def _or(value: object, other: float) -> float:
    found = number(value)
    return found if isfinite(found) else other
