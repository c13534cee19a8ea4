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
from bench.instruments.jaxpr_runs import inside


def count(fn: Callable[..., Any], *args: Any) -> int:
    """Flops of ``fn(*args)``; the arguments may be ``jax.ShapeDtypeStruct``. ``UnknownOp`` for a primitive that no
    table holds and for a loop with flops whose number of turns is unknown."""
    import jax

    return _flops(jax.make_jaxpr(fn)(*args))


def _flops(jaxpr: Any) -> int:
    """Of an open or a closed jaxpr."""
    return sum(_equation(equation) for equation in jaxpr.eqns)


def _equation(equation: Any) -> int:
    name = equation.primitive.name
    if name in FORMULAS:
        return FORMULAS[name](equation)
    if name in NOTHING:
        return 0
    found = inside(equation, _flops)
    if found is None:
        raise UnknownOp(
            f"jax_flops: the primitive {name} is in no table: add it to jax_flop_table.py with its formula, "
            "or among those that count nothing."
        )
    return found
