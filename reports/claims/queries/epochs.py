"""JFB, table 2: seconds of a training step under Jacobian-based adjoints ÷ those under JFB."""

from __future__ import annotations

from reports.claims import steps
from reports.claims.claim import Case, case
from reports.claims.pairs import known
from reports.claims.select import groups, having, named, rows
from reports.labels import label
from reports.papers import Papers

PUBLISHED = ("ift normal_cg", "ift normal_cg_published")
"""The paper's baseline solves the normal equations by conjugate gradients; its code applies the operator three times an
iteration where one would do."""


def slower(papers: Papers, *names: str) -> list[Case]:
    """Each Jacobian-based adjoint ÷ JFB; ``names``: these alone."""
    found = []
    for conditions, records in groups(having(named(papers.records("epochs")), "seconds"), "framework", "data"):
        for other in dict.fromkeys(str(row.get("method")) for row in rows(records)):
            if other not in ("jfb", "unrolled") and other in (names or (other,)):
                ratio = steps.ratio(records, other, "jfb")
                found.append(case(conditions | {"solver": solver(other)}, ratio))
    return known(found)


def solver(name: str) -> str:
    """A method of the experiment as a reader knows it: ``ift gmres`` is GMRES."""
    base, _, linear = name.partition(" ")
    return label(base, {"linear_solver": linear} if linear else {}).removeprefix("IFT, ")
