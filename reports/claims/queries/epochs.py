"""JFB, table 2: seconds of a training step under Jacobian-based adjoints ÷ those under JFB."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from reports.claims import steps
from reports.claims.claim import Case, case
from reports.claims.pairs import known
from reports.claims.scope import of_records
from reports.claims.select import groups, having, named, only, rows
from reports.labels import label
from reports.papers import Papers

PUBLISHED = ("ift normal_cg", "ift normal_cg_published")
"""The paper's baseline solves the normal equations by conjugate gradients; its code applies the operator three times an
iteration where one would do."""

GAMMA, TOL = 0.5, 0.1
"""Contraction factor and tolerance of both solves as published."""

MNIST = ("mnist5k", "idx")
"""Data sets of its images."""

SIZES = ("channels", "batch")

NAMES = {"gamma": "γ", "tol": "tolerance"}


def slower(papers: Papers) -> list[Case]:
    """Each Jacobian-based adjoint ÷ JFB."""
    return _ratios(having(named(papers.records("epochs")), "seconds"))


def slower_as_published(papers: Papers) -> list[Case]:
    """The published baseline ÷ JFB, on the published images at the published γ and tolerance."""
    same = only(having(named(papers.records("epochs")), "seconds"), gamma=GAMMA, tol=TOL)
    return [one for data in MNIST for one in _ratios(only(same, data=data), PUBLISHED)]


def _ratios(timed: pd.DataFrame, names: Collection[str] = ()) -> list[Case]:
    found = []
    for conditions, records in groups(timed, "framework", "data", *NAMES):
        said = {NAMES.get(axis, axis): one for axis, one in conditions.items()}
        for other in dict.fromkeys(str(row.get("method")) for row in rows(records)):
            if other not in ("jfb", "unrolled") and other in (names or (other,)):
                taken = steps.ratio(records, other, "jfb")
                scope = of_records(records, sizes=SIZES, workers=taken.samples)
                found.append(case(said | {"solver": solver(other)}, taken, scope=scope))
    return known(found)


def solver(name: str) -> str:
    """A method of the experiment as a reader knows it: ``ift gmres`` is GMRES."""
    base, _, linear = name.partition(" ")
    return label(base, {"linear_solver": linear} if linear else {}).removeprefix("IFT, ")
