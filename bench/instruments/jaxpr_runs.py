"""What an equation of a jaxpr runs inside itself, for the instruments that count over jaxprs.

A scan runs its body as often as its length says, which the compiler's own cost analysis leaves out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.instruments.flop_formulas import UnknownOp

CALLS = frozenset(
    {
        "jit",
        "pjit",
        "closed_call",
        "core_call",
        "eval_jaxpr",
        "remat",
        "remat2",
        "checkpoint",
        "custom_jvp_call",
        "custom_vjp_call",
        "custom_vjp_call_jaxpr",
    }
)
"""Primitives that run the one jaxpr among their parameters once."""


def inside(equation: Any, cost: Callable[[Any], int]) -> int | None:
    """What the jaxprs that an equation runs cost together, by the ``cost`` of one; None where it runs none.

    Of branches the dearest counts. ``UnknownOp`` for a loop that costs something and whose number of turns is unknown.
    """
    name, params = equation.primitive.name, equation.params
    if name == "scan":
        return int(params["length"]) * cost(params["jaxpr"])
    if name == "cond":
        return max(map(cost, params["branches"]))
    if name == "while":
        if cost(params["cond_jaxpr"]) + cost(params["body_jaxpr"]) == 0:
            return 0
        raise UnknownOp(
            "Flops: a while loop has no known number of turns: give the solver tol=0, which makes it a scan."
        )
    if name == "custom_linear_solve":
        return cost(params["jaxprs"].solve)  # the others stand by: for a transpose, and to check the solve
    return cost(_only_jaxpr(name, params)) if name in CALLS else None


def _only_jaxpr(name: str, params: Any) -> Any:
    found = [value for value in params.values() if hasattr(value, "eqns")]
    if len(found) != 1:
        raise UnknownOp(
            f"The primitive {name} holds {len(found)} jaxprs instead of one: give it a rule in jaxpr_runs.py."
        )
    return found[0]
