"""jaxopt's gradients through ``FixedPointIteration``: implicit with each of its linear solvers, or unrolled.

The batch is one state, or every sample one of its own under ``vmap``, as its examples batch. With ``tol=0`` the forward
solve makes exactly K steps, and the backward solve exactly as many as it is told; ``ift default`` leaves both
tolerances of the backward solve as they come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import product
from typing import Any

from bench.peers.cells import PeerCell
from bench.peers.contenders import BATCHED, STEPS, Contender, Ladder, library
from bench.peers.stock import jax_fixed_point, jax_functions

METHODS = ("batched", "incremental")
"""How GMRES solves its least squares problem."""


def options(contender: Contender, framework: str, cell: PeerCell) -> tuple[Ladder, ...]:
    """Steps of the linear solver; of GMRES also how it solves its least squares."""
    kind = contender.kind.removeprefix("ift ")
    if kind in ("default", "unrolled"):
        return tuple(Ladder({"batch": batch}) for batch in BATCHED)
    if kind == "gmres":
        ways = product(BATCHED, METHODS)
        return tuple(Ladder({"batch": batch, "solve_method": method}, "restart", STEPS) for batch, method in ways)
    return tuple(Ladder({"batch": batch}, "maxiter", STEPS, traced=True) for batch in BATCHED)


def gradient(
    contender: Contender, framework: str, cell: PeerCell, K: int | None, options: Mapping[str, Any]
) -> Callable[..., Any]:
    """fn(params, batch, rng) -> (value, gradient)."""
    jaxopt = library("jaxopt")
    import jax
    import jax.numpy as jnp

    options = dict(options)
    batch = options.pop("batch", "whole")
    made: dict[str, Any] = {"maxiter": K, "tol": 0.0, "implicit_diff": contender.method == "ift"}
    kind = contender.kind.removeprefix("ift ")
    if kind not in ("default", "unrolled"):
        once = {"maxiter": 1} if kind == "gmres" else {}
        linear = getattr(jaxopt.linear_solve, f"solve_{kind}")
        made["implicit_diff_solve"] = partial(linear, **{"tol": 0.0, **once, **options})
    solver = jaxopt.FixedPointIteration(jax_functions().step, **made)

    def solve(W: Any, xU: Any) -> Any:
        return solver.run(jnp.zeros_like(xU), W, xU).params

    return jax_fixed_point(jax.vmap(solve, in_axes=(None, 0)) if batch == "vmap" else solve)
