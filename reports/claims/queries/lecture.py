"""The lecture on implicit layers: unrolled Newton, forward solvers, chains of Jacobians, the inverse."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bench.stats import Estimate, exactly
from reports.claims.claim import Case, case
from reports.claims.pairs import Pair, alike, known, method, pairs
from reports.claims.scope import of_cells, of_records
from reports.claims.select import groups, having, named, ran, rows, value
from reports.labels import label, place
from reports.numbers import number, size
from reports.papers import Papers

BYTES = {"held_bytes": "held", "peak_bytes": "at the peak"}


def unrolled_time(papers: Papers) -> list[Case]:
    """R of unrolled Newton ÷ R of the implicit function theorem at the same K."""
    return _newton(papers, lambda pair: pair.times(papers))


def unrolled_bytes(papers: Papers) -> list[Case]:
    """Bytes held for the backward pass, unrolled ÷ implicit, at the same K."""
    return _newton(papers, lambda pair: pair.bytes("held_bytes"), "held_bytes")


def _newton(papers: Papers, of: Callable[[Pair], Estimate], column: str = "") -> list[Case]:
    found = []
    for cells in alike(papers.cells("newton_layer"), "K"):
        for pair in pairs(cells, method("unrolled"), method("ift", linear_solver="dense")):
            conditions = {"framework": pair.framework(), "K": value(pair.above["options"].get("K"))}
            found.append(_case(pair, conditions, of(pair), column))
    return _by(known(found), "K")


def dense_time(papers: Papers) -> list[Case]:
    """R of the dense solve ÷ R of a matrix-free one, at width n."""
    return _inverse(papers, lambda pair: pair.times(papers))


def dense_bytes(papers: Papers) -> list[Case]:
    """Peak bytes of the dense solve ÷ those of a matrix-free one, at width n."""
    return _inverse(papers, lambda pair: pair.bytes("peak_bytes"), "peak_bytes")


def _inverse(papers: Papers, of: Callable[[Pair], Estimate], column: str = "") -> list[Case]:
    found = []
    for cells in alike(papers.cells("inverse")):
        for solver in ("picard", "gmres"):
            for pair in pairs(cells, method("ift", linear_solver="dense"), method("ift", linear_solver=solver)):
                name = label("ift", {"linear_solver": solver}).removeprefix("IFT, ")
                width = value(pair.above["sizes"].get("width"))
                conditions = {"framework": pair.framework(), "solver": name, "n": width}
                found.append(_case(pair, conditions, of(pair), column))
    return _by(known(found), "n")


def independence(papers: Papers) -> list[Case]:
    """Gradient error in float64 with each forward solver."""
    found = []
    for row in rows(papers.cells("solver_independence")):
        conditions = {"framework": ran(row), "problem": f"{row['problem']} layer"}
        conditions["solver"] = f"{value(row['options'].get('solver'))} forward"
        found.append(case(conditions, exactly(number(row.get("gradient_error"))), scope=of_cells(row)))
    return known(found)


def chain(papers: Papers) -> list[Case]:
    """‖∂z_K/∂z_0‖₂ at the largest K."""
    found = []
    for conditions, records in groups(named(papers.records("chain")), "problem", "solver", "gamma"):
        usable = having(having(records, "K"), "norm")
        if len(usable):
            last = max(rows(usable), key=lambda row: number(row["K"]))
            said = {"γ" if name == "gamma" else name: one for name, one in conditions.items()}
            scope = of_records(usable[usable["K"] == last["K"]], sizes=("K",))
            found.append(case(said, exactly(number(last["norm"])), note=f"K = {value(last['K'])}", scope=scope))
    return found


def _case(pair: Pair, conditions: dict[str, str], found: Estimate, column: str) -> Case:
    """Of bytes in a column, or of times where there is none."""
    return pair.case(conditions, found, _note(pair, column) if column else "", timed=not column)


def _note(pair: Pair, column: str) -> str:
    one, other = (size(number(row.get(column))) for row in (pair.above, pair.below))
    return f"{one} and {other} {BYTES[column]}"


def _by(cases: Sequence[Case], axis: str) -> list[Case]:
    """By framework and solver, then along a number."""

    def key(one: Case) -> tuple[object, ...]:
        return place(one.conditions["framework"]), one.conditions.get("solver", ""), _number(one.conditions[axis])

    return sorted(cases, key=key)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
