"""JFB: lines of code of the adjoints."""

from __future__ import annotations

from bench.stats import exactly
from reports.claims.claim import Case, case
from reports.claims.pairs import known
from reports.claims.scope import of_records
from reports.claims.select import groups, numbers, only, rows
from reports.labels import label
from reports.numbers import number
from reports.papers import Papers


def shorter(papers: Papers) -> list[Case]:
    """Lines of JFB ÷ lines of each other adjoint, with the linear solver that it needs."""
    found = []
    for conditions, records in groups(papers.records("code_lines"), "framework"):
        own = numbers(only(records, method="jfb"), "total_lines")
        for row in rows(records):
            other = number(row.get("total_lines"))
            if own and other > 0 and row.get("method") != "jfb":
                name = label(str(row.get("method")), _options(row.get("linear_solver"))).replace(", ", " with ")
                named = conditions | {"method": name}
                note = f"{own[-1]:g} of {other:g}"
                found.append(case(named, exactly(own[-1] / other), note=note, scope=of_records(records)))
    return known(found)


def _options(solver: object) -> dict[str, object]:
    return {"linear_solver": solver} if solver else {}
