"""JFB, theorem 0.2: where the JFB direction descends."""

from __future__ import annotations

import pandas as pd

from bench.stats import exactly
from reports.claims.claim import Case, case
from reports.claims.scope import Scope, of_records
from reports.claims.select import entries, groups, having, numbers, only
from reports.papers import Papers


def _affine(papers: Papers, covered: int) -> pd.DataFrame:
    return only(papers.records("descent"), what="affine", covered=covered)


def descends(papers: Papers) -> list[Case]:
    """Where the theorem's condition is met: share of draws whose JFB direction descends."""
    return _shares(having(_affine(papers, 1), "cosine"), "kind")


def worst(papers: Papers) -> list[Case]:
    """Where the theorem's condition is met: the least of ⟨JFB, ∇⟩ over all g, in units of its scale."""
    found = []
    for conditions, draws in groups(having(_affine(papers, 1), "worst"), "kind"):
        values = numbers(draws, "worst")
        note = f"least of {len(values)}"
        found.append(case(conditions, exactly(min(values)), note=note, scope=_scope(draws, len(values))))
    return found


def outside(papers: Papers) -> list[Case]:
    """Where the condition is not met, and on networks as initialised, where nobody enforces it: share of descent."""
    found = _shares(having(_affine(papers, 0), "cosine"), "kind")
    return found + _shares(having(only(papers.records("descent"), what="model"), "cosine"), "problem", "gamma")


def _shares(draws: pd.DataFrame, *names: str) -> list[Case]:
    found = []
    for conditions, of_group in groups(draws, *names):
        cosines = numbers(of_group, "cosine")
        share = sum(cosine > 0 for cosine in cosines) / len(cosines)
        said = {"γ" if name == "gamma" else name: one for name, one in conditions.items()}
        note = f"{len(cosines)} draws, least cosine {min(cosines):.2g}"
        found.append(case(said, exactly(share), note=note, scope=_scope(of_group, len(cosines))))
    return found


def _scope(draws: pd.DataFrame, count: int) -> Scope:
    """Affine maps by their kind, networks by their problem; how many were drawn."""
    what = tuple(str(one) for name in ("what", "kind", "problem", "gamma") for one in entries(draws, name)[:1])
    return of_records(draws, sizes=("states", "γ"), counts={"draws": {what: count}})
