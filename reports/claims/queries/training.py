"""Baydin, figure 4: seconds in which forward gradient trains as far as backprop."""

from __future__ import annotations

from math import inf, isfinite

import pandas as pd

from bench.stats import Estimate
from reports.claims import reach, runs, steps
from reports.claims.claim import Case, case
from reports.claims.pairs import known
from reports.claims.scope import of_runs
from reports.claims.select import groups, having, named, numbers, only, value
from reports.papers import Papers

Conditions = dict[str, str]

METHODS = ("forward_gradient", "backprop")


def convergence(papers: Papers, tuned: bool) -> list[Case]:
    """T_f ÷ T_b: time until forward gradient is at the least loss that backprop reaches ÷ backprop's time to get there,
    for each seed first; each trains on the same batches from the same parameters."""
    found = []
    for conditions, records in groups(named(papers.records("training")), "framework", "data"):
        seconds = steps.ratio(having(records, "seconds"), *METHODS)
        fits = having(records, "iteration")
        wanted = only(fits, protocol="tuned" if tuned else "shared")
        if tuned:
            own, other = (runs.best(only(wanted, method=name)) for name in METHODS)
            found += _reaching(conditions, own, other, seconds)
        else:
            for rate, at_rate in groups(wanted, "rate"):
                own, other = (only(at_rate, method=name) for name in METHODS)
                found += _reaching(conditions | rate, own, other, seconds)
    return known(found)


def _reaching(conditions: Conditions, own: pd.DataFrame, other: pd.DataFrame, seconds: Estimate) -> list[Case]:
    ratios = reach.shares(own, other)
    if not ratios:
        return []
    notes, never = [], sum(one == inf for one in ratios.values())
    if never:
        ends = f": forward gradient {_end(own)}, backprop {_end(other)}" if never == len(ratios) else ""
        notes.append(f"{never} of {len(ratios)} seeds never{ends}")
    if lost := runs.diverged(own):
        notes.append(f"{lost} of {runs.seeds(own)} seeds diverged")
    rates = ", ".join(value(rate) for one in (own, other) for rate in numbers(one.iloc[:1], "rate"))
    if rates and "rate" not in conditions:
        notes.append(f"rates {rates}")
    scope = of_runs(own, other, seeds=len(ratios))
    return [case(conditions, reach.times(ratios, seconds), note="; ".join(notes), scope=scope)]


def _end(frame: pd.DataFrame) -> str:
    """Of the mean over seeds."""
    loss = runs.curve(frame).loss
    return f"ends at {loss:.3g}" if isfinite(loss) else "diverges"
