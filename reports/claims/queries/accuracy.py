"""JFB, table 1 and figure 6: test errors of runs that differ in their gradient, at each method's own best rate."""

from __future__ import annotations

from math import isnan

import pandas as pd

from reports.claims import runs
from reports.claims.claim import Case, case
from reports.claims.pairs import known, method
from reports.claims.select import groups, having, named, only, ran, rows
from reports.intervals import difference, quotient
from reports.papers import Papers

POINTS = "percentage points"


def less_accurate(papers: Papers, other: str) -> list[Case]:
    """Test error of JFB − that of another method or model: for each seed first. A framework with one seed, which is
    there to check the other one, is left out where the other one has more."""
    found = []
    for conditions, records in groups(named(papers.records("accuracy")), "framework", "data"):
        fits = having(records, "iteration")
        own, theirs = (runs.best(only(fits, method=name)) for name in ("jfb", other))
        found.append(_difference(conditions, own, theirs))
    several = [one for one in found if not isnan(one.low)]
    return several or known(found)


def fastest(papers: Papers) -> list[Case]:
    """Time of the gradient with a Neumann series of order 0 ÷ that of order k; M = k + 1 terms."""
    found = []
    cells = [row for row in rows(papers.cells("neumann")) if method("ift", linear_solver="picard")(row)]
    for zero in (row for row in cells if row["options"].get("M") == 1):
        for row in cells:
            terms = row["options"].get("M")
            if isinstance(terms, int) and terms > 1 and ran(row) == ran(zero) and row["sizes"] == zero["sizes"]:
                times = quotient(papers.by_worker(zero["cell"]), papers.by_worker(row["cell"]))
                found.append(case({"framework": ran(row), "k": str(terms - 1)}, times))
    return known(found)


def competitive(papers: Papers) -> list[Case]:
    """Test error of a Neumann series of order 0 − that of order k: for each seed first."""
    found = []
    for conditions, records in groups(named(papers.records("neumann")), "framework"):
        fits = having(having(records, "iteration"), "k")
        zero = only(fits, k=0)
        for order, of_order in groups(fits, "k"):
            if order["k"] != "0":
                found.append(_difference(conditions | order, zero, of_order))
    return known(found)


def _difference(conditions: dict[str, str], own: pd.DataFrame, theirs: pd.DataFrame) -> Case:
    one, other = runs.final_errors(own), runs.final_errors(theirs)
    both = [seed for seed in one if seed in other]
    note = ""
    if both:
        means = [sum(errors[seed] for seed in both) / len(both) for errors in (one, other)]
        note = f"{means[0]:.3g} % and {means[1]:.3g} %, {len(both)} seed{'s' if len(both) > 1 else ''}"
    return case(conditions, difference(one, other), POINTS, note)
