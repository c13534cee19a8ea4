"""Baydin, figure 2: descent on test functions of two variables."""

from __future__ import annotations

from math import inf, isfinite

import pandas as pd

from bench.stats import exactly
from reports.claims import steps
from reports.claims.claim import Case, case
from reports.claims.pairs import known
from reports.claims.scope import of_records
from reports.claims.select import groups, having, named, only, rows
from reports.numbers import number
from reports.papers import Papers


def step_time(papers: Papers, function: str) -> list[Case]:
    """Seconds of a forward gradient step ÷ those of a backprop step on a test function."""
    timed = having(named(only(papers.records("test_functions"), function=function)), "seconds")
    return known(
        [
            case(conditions, found, scope=of_records(runs_, workers=found.samples))
            for conditions, runs_ in groups(timed, "framework")
            for found in [steps.ratio(runs_, "forward_gradient", "backprop")]
        ]
    )


def minimum(papers: Papers, function: str, published: float) -> list[Case]:
    """The largest value over seeds at the end of descent ÷ the published one: paths of given seeds have no noise."""
    paths = having(named(only(papers.records("test_functions"), function=function)), "iteration")
    found = []
    for conditions, of_method in groups(paths, "framework", "method"):
        ends = [_end(path) for _, path in groups(of_method, "seed")]
        note = f"f = {max(ends):.2g}, the worst of {len(ends)} seeds" if len(ends) > 1 else f"f = {max(ends):.2g}"
        scope = of_records(of_method, seeds=len(ends))
        found.append(case(conditions, exactly(max(ends) / published), note=note, scope=scope))
    return found


def _end(path: pd.DataFrame) -> float:
    """The last value; infinite where it is no number."""
    last = number(max(rows(path), key=lambda row: number(row["iteration"])).get("value"))
    return last if isfinite(last) else inf
