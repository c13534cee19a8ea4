"""JFB, table 1 and figure 6: test errors of runs that differ in their gradient, at each method's own best rate."""

from __future__ import annotations

from collections.abc import Collection
from math import isfinite

import pandas as pd

from bench.stats import difference
from reports.claims import runs
from reports.claims.claim import Case, case
from reports.claims.pairs import Pair, known, method
from reports.claims.scope import of_runs
from reports.claims.select import groups, having, named, only, ran, rows, value
from reports.labels import label
from reports.papers import Papers

POINTS = "percentage points"


def less_accurate(papers: Papers, other: str) -> list[Case]:
    """Test error of JFB − that of another method or model: for each seed first. A framework with one seed, which is
    there to check the other one, is left out where the other one has more on the same data."""
    found = []
    for conditions, records in groups(named(papers.records("accuracy")), "framework", "data"):
        fits = having(records, "iteration")
        found.append(_difference(conditions, *(runs.best(only(fits, method=name)) for name in ("jfb", other))))
    several = {one.conditions.get("data") for seeds, one in found if seeds > 1}
    return [one for seeds, one in found if seeds > 1 or (seeds and one.conditions.get("data") not in several)]


def fastest(papers: Papers) -> list[Case]:
    """Time of the gradient with a Neumann series of order 0 ÷ that of order k; M = k + 1 terms."""
    found = []
    cells = [row for row in rows(papers.cells("neumann")) if method("ift", linear_solver="picard")(row)]
    for zero in (row for row in cells if row["options"].get("M") == 1):
        for row in cells:
            terms = row["options"].get("M")
            if isinstance(terms, int) and terms > 1 and ran(row) == ran(zero) and row["sizes"] == zero["sizes"]:
                times = Pair(zero, row).times(papers)
                conditions = {"framework": ran(row), "k": str(terms - 1)}
                found.append(Pair(zero, row).case(conditions, times, timed=True))
    return known(found)


def competitive(papers: Papers) -> list[Case]:
    """Test error of a Neumann series of order 0 − that of order k: for each seed first."""
    found = []
    for conditions, records in groups(named(papers.records("neumann")), "framework", "data"):
        fits = having(having(records, "iteration"), "k")
        zero = runs.best(only(fits, k=0))
        for order, of_order in groups(fits, "k"):
            if order["k"] != "0":
                found.append(_difference(conditions | order, zero, runs.best(of_order)))
    return [one for seeds, one in found if seeds]


def _difference(conditions: dict[str, str], own: pd.DataFrame, theirs: pd.DataFrame) -> tuple[int, Case]:
    """How many seeds both have, and the case."""
    one, other = runs.final_errors(own), runs.final_errors(theirs)
    both = [seed for seed in one if seed in other]
    notes = []
    if both:
        means = [sum(errors[seed] for seed in both) / len(both) for errors in (one, other)]
        shown = [f"{mean:.3g} %" if isfinite(mean) else "diverged" for mean in means]
        notes.append(f"{shown[0]} and {shown[1]}, {len(both)} seed{'s' if len(both) > 1 else ''}")
    own, theirs = (_of_seeds(frame, both) for frame in (own, theirs))
    for frame in (own, theirs):
        if lost := runs.diverged(frame):
            notes.append(f"{lost} of {runs.seeds(frame)} seeds of {_name(frame)} diverged")
    for column, when in (("unscored", "scoring"), ("failed", "training")):
        if missed := runs.failed(own, column) + runs.failed(theirs, column):
            notes.append(f"{missed} solve{'s' if missed > 1 else ''} missed 1e-3 while {when}")
    scope = of_runs(own, theirs, seeds=len(both))
    return len(both), case(conditions, difference(one, other), POINTS, "; ".join(notes), scope=scope)


def _of_seeds(frame: pd.DataFrame, seeds: Collection[str]) -> pd.DataFrame:
    """The runs that are compared: what others missed or lost belongs to no number here."""
    kept = [of_seed for names, of_seed in groups(frame, "seed") if names.get("seed", "") in seeds]
    return pd.concat(kept) if kept else frame.iloc[:0]


def _name(frame: pd.DataFrame) -> str:
    """Of a method that was trained, or of an order of the series."""
    first = rows(frame)[0]
    return f"order {value(first.get('k'))}" if first.get("k") is not None else label(str(first.get("method")), {})
