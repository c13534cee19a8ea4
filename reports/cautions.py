"""What a reader must know before trusting a page: the state of the tree, the machine and the noise."""

from __future__ import annotations

import pandas as pd

from reports.conditions import below_one, by_cpu, disturbed, named, who
from reports.load import Results, unfinished

NOISY = 0.10
"""The sd of log R between workers above which a ratio is called noisy."""


MOST_SURPRISES = 10


def cautions(results: Results, frame: pd.DataFrame) -> list[str]:
    """Sentences, the gravest first; empty when there is nothing to warn of."""
    left = unfinished(results)
    found = [left] if left else []
    if any(run.dirty is not False for run in results.runs):
        found.append("The working tree was dirty: these numbers belong to no commit; nobody else can reproduce them.")
    if any(run.commit is None for run in results.runs):
        found.append("No commit is recorded: the code behind these numbers is known by its digest alone.")
    found += below_one(frame) + surprises(results) + disturbed(results, frame) + by_cpu(frame) + _spread(frame)
    found += _workers(results, frame)
    return found


def surprises(results: Results) -> list[str]:
    """Outcomes that the register of expected ones did not expect, each by name."""
    found = [
        f"Surprise: {one.cell} was expected to be {one.expected} and was {one.found}"
        + (f" ({one.why})." if one.why else ".")
        for one in results.surprises
    ]
    left = len(found) - MOST_SURPRISES
    return found if left <= 0 else [*found[:MOST_SURPRISES], f"And {left} more surprises."]


def _spread(frame: pd.DataFrame) -> list[str]:
    """Cells whose workers disagree."""
    noisy = frame[frame["sd_log_R"] > NOISY]
    if noisy.empty:
        return []
    names = named([f"{who(row)} ({row['sd_log_R'] * 100:.0f} %)" for row in noisy.to_dict("records")])
    return [
        f"Noisy: the workers' values of R spread by more than 10 % (standard deviation of the logarithm) for {names}."
    ]


def _workers(results: Results, frame: pd.DataFrame) -> list[str]:
    """Cells that fewer workers visited than were planned."""
    planned = max((run.workers or 0 for run in results.runs), default=0)
    few = frame[(frame["workers"] < planned) & (frame["time_status"] == "ok")]
    if few.empty:
        return []
    many = "1 timed cell was" if len(few) == 1 else f"{len(few)} timed cells were"
    return [
        f"{many} visited by fewer than the {planned:.0f} workers planned "
        f"(the fewest: {few['workers'].min():.0f}); the run did not finish."
    ]
