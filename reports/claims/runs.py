"""Training runs: the best rate of a method, where its runs end, and when its loss reaches another's."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, nan
from statistics import fmean

import pandas as pd

from reports.claims.select import groups, rows
from reports.rows import number


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
    runs = [_losses(of_seed) for _, of_seed in groups(frame, "seed")]
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
    """The runs at the rate whose mean final loss over seeds is least, never by test error; empty where all diverge."""
    tried = [(curve(runs).loss, place, runs) for place, (_, runs) in enumerate(groups(frame, column))]
    usable = [one for one in tried if isfinite(one[0])]
    return min(usable, key=lambda one: one[:2])[2] if usable else frame.iloc[:0]


def final_errors(frame: pd.DataFrame) -> dict[str, float]:
    """Test error in percent at the last record of each seed's run; a run that diverged has none."""
    found: dict[str, float] = {}
    for names, of_seed in groups(frame, "seed"):
        last = max(rows(of_seed), key=lambda row: _or(row.get("iteration"), -inf))
        error = number(last.get("test_error"))
        if isfinite(error):
            found[names.get("seed", "")] = 100 * error
    return found


def seeds(frame: pd.DataFrame) -> int:
    """How many there are."""
    return sum(1 for _ in groups(frame, "seed"))


def _losses(frame: pd.DataFrame) -> dict[float, float]:
    """The losses of one run by iteration; a record without one is of a run that diverged there."""
    pairs = [(number(row.get("iteration")), _or(row.get("loss"), inf)) for row in rows(frame)]
    return {iteration: loss for iteration, loss in pairs if isfinite(iteration)}


def _or(value: object, other: float) -> float:
    found = number(value)
    return found if isfinite(found) else other
