"""Work in jax, counted exactly: the flops of the program as it is written, equation by equation of its jaxpr.

Matrix products, convolutions and linear algebra count (``flop_formulas``); a primitive of neither table is an error,
never a silent zero. A scan counts its body times its length, which the compiler's own cost analysis does not. Nothing
is compiled or run, so the count depends on no backend; what a compiler then shares, hoists or drops is still in it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.instruments.flop_formulas import UnknownOp
from bench.instruments.jax_flop_table import FORMULAS, NOTHING

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


def count(fn: Callable[..., Any], *args: Any) -> int:
    """Flops of ``fn(*args)``; the arguments may be ``jax.ShapeDtypeStruct``. ``UnknownOp`` for a primitive that no
    table holds and for a loop with flops whose number of turns is unknown."""
    import jax

    return _flops(jax.make_jaxpr(fn)(*args))


def _flops(jaxpr: Any) -> int:
    """Of an open or a closed jaxpr."""
    return sum(_equation(equation) for equation in jaxpr.eqns)


def _equation(equation: Any) -> int:
    name, params = equation.primitive.name, equation.params
    if name in FORMULAS:
        return FORMULAS[name](equation)
    if name in NOTHING:
        return 0
    if name == "scan":
        return int(params["length"]) * _flops(params["jaxpr"])
    if name == "cond":
        return max(map(_flops, params["branches"]))
    if name == "while":
        return _while(params)
    if name == "custom_linear_solve":
        return _flops(params["jaxprs"].solve)  # the others stand by: for a transpose, and to check the solve
    if name in CALLS:
        return _flops(_only_jaxpr(name, params))
    raise UnknownOp(
        f"jax_flops: the primitive {name} is in no table: add it to jax_flop_table.py with its formula, "
        "or among those that count nothing."
    )


def _while(params: Any) -> int:
    if _flops(params["cond_jaxpr"]) + _flops(params["body_jaxpr"]) == 0:
        return 0
    raise UnknownOp(
        "jax_flops: a while loop has flops and no known number of turns: give the solver tol=0, which makes it a scan."
    )


def _only_jaxpr(name: str, params: Any) -> Any:
    inner = [value for value in params.values() if hasattr(value, "eqns")]
    if len(inner) != 1:
        raise UnknownOp(f"jax_flops: {name} holds {len(inner)} jaxprs instead of one: give it a rule in jax_flops.py.")
    return inner[0]
