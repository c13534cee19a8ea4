"""Baydin, figure 4: seconds in which forward gradient trains as far as backprop."""

from __future__ import annotations

from math import inf, isfinite

import pandas as pd

from reports.claims import runs, steps
from reports.claims.claim import Case, case
from reports.claims.pairs import known
from reports.claims.select import groups, having, named, numbers, only, value
from reports.intervals import Estimate
from reports.papers import Papers

Conditions = dict[str, str]


def convergence(papers: Papers, tuned: bool) -> list[Case]:
    """T_f ÷ T_b: time until forward gradient's mean loss is at backprop's final one ÷ backprop's time to get there."""
    found = []
    for conditions, records in groups(named(papers.records("training")), "framework"):
        seconds = steps.ratio(having(records, "seconds"), "forward_gradient", "backprop")
        fits = having(records, "iteration")
        wanted = only(fits, protocol="tuned" if tuned else "shared")
        if tuned:
            both = {name: runs.best(only(wanted, method=name)) for name in ("forward_gradient", "backprop")}
            found += _reaching(conditions, both, seconds)
        else:
            for rate, at_rate in groups(wanted, "rate"):
                both = {name: only(at_rate, method=name) for name in ("forward_gradient", "backprop")}
                found += _reaching(conditions | rate, both, seconds)
    return known(found)


def _reaching(conditions: Conditions, both: dict[str, pd.DataFrame], seconds: Estimate) -> list[Case]:
    one, other = (runs.curve(both[name]) for name in ("forward_gradient", "backprop"))
    if not one.points or not other.points or not isfinite(other.loss) or other.iterations <= 0:
        return []
    share = one.reaches(other.loss) / other.iterations
    if share == inf:
        end = f"ends at {one.loss:.3g}" if isfinite(one.loss) else "diverges"
        note = f"never: forward gradient {end}, backprop at {other.loss:.3g}"
        return [Case(conditions, inf, inf, inf, note=note)]
    rates = ", ".join(value(rate) for runs_ in both.values() for rate in numbers(runs_.iloc[:1], "rate"))
    note = f"rates {rates}" if rates and "rate" not in conditions else ""
    return [case(conditions, seconds.scaled(share), note=note)]
