"""optimistix' gradients through ``fixed_point``: implicit with lineax's solvers, or unrolled with checkpoints.

The batch is one state, or every sample one of its own under ``vmap``, as its documentation batches. The default
linear solver builds the matrix I − J and factors it. lineax' iterative solvers are told no tolerances but a number of
steps, which is the cheapest that they offer. In float32 its BiCGStab takes negative coefficients for a breakdown, and
stops after one step: with J − I, which optimistix hands it, they are all negative.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from bench.peers.cells import PeerCell
from bench.peers.contenders import BATCHED, STEPS, Contender, Ladder, library
from bench.peers.stock import jax_fixed_point, jax_functions

MOST_BYTES = 1.5e9
MOST_FLOPS = 5e10
"""Bounds on a dense solve: beyond them one call takes seconds, and more memory than a worker process should."""


def options(contender: Contender, framework: str, cell: PeerCell) -> tuple[Ladder, ...]:
    """How the batch is taken; of iterative solvers the steps; of the unrolled ones the checkpoints, by default or one
    for each step. ``ValueError`` for a dense solve over its bounds."""
    kind = contender.kind.removeprefix("ift ")
    if kind == "unrolled":
        return tuple(Ladder({"batch": batch, "checkpoints": kept}) for batch in BATCHED for kept in ("default", "all"))
    if kind == "default":
        return _dense(cell)
    if kind == "gmres":
        return tuple(Ladder({"batch": batch}, "restart", STEPS) for batch in BATCHED)
    return tuple(Ladder({"batch": batch}, "max_steps", STEPS, traced=True) for batch in BATCHED)


def gradient(
    contender: Contender, framework: str, cell: PeerCell, K: int | None, options: Mapping[str, Any]
) -> Callable[..., Any]:
    """fn(params, batch, rng) -> (value, gradient)."""
    os.environ.setdefault("EQX_ON_ERROR", "off")  # no call back to Python to raise from, and none to take time
    optimistix = library("optimistix")
    import jax
    import jax.numpy as jnp

    step, tiny = jax_functions().step, 1e-30  # no tolerance that float32 could meet
    solver = optimistix.FixedPointIteration(rtol=tiny, atol=tiny)
    adjoint = _adjoint(contender, cell, K, options)

    def solve(W: Any, xU: Any) -> Any:
        return optimistix.fixed_point(
            lambda z, args: step(z, *args),
            solver,
            jnp.zeros_like(xU),
            args=(W, xU),
            max_steps=K,
            adjoint=adjoint,
            throw=False,
        ).value

    return jax_fixed_point(jax.vmap(solve, in_axes=(None, 0)) if options["batch"] == "vmap" else solve)


def _adjoint(contender: Contender, cell: PeerCell, K: int | None, options: Mapping[str, Any]) -> Any:
    """The adjoint object, with its linear solver."""
    optimistix, kind = library("optimistix"), contender.kind.removeprefix("ift ")
    if kind == "unrolled":
        every = {"checkpoints": K} if options["checkpoints"] == "all" else {}
        return optimistix.RecursiveCheckpointAdjoint(**every)
    if kind == "default":
        return optimistix.ImplicitAdjoint()
    lineax, steps = library("lineax"), dict(options)
    del steps["batch"]
    if kind == "gmres":
        steps["max_steps"] = 2  # of which the first is none
    solver = {"gmres": lineax.GMRES, "bicgstab": lineax.BiCGStab, "normal_cg": lineax.CG}[kind]
    made = solver(rtol=0.0, atol=0.0, **steps, **({"stabilise_every": None} if kind == "normal_cg" else {}))
    return optimistix.ImplicitAdjoint(lineax.Normal(made) if kind == "normal_cg" else made)


def _dense(cell: PeerCell) -> tuple[Ladder, ...]:
    """One matrix for the batch, or one a sample, as far as they fit."""
    width, batch, item = int(cell.sizes["width"]), int(cell.sizes["batch"]), 8 if cell.dtype == "float64" else 4
    found = []
    for way, systems, n in (("whole", 1, width * batch), ("vmap", batch, width)):
        columns = 2 * n * batch * width**2  # a product with J for each unknown of a system, all samples at once
        flops = columns + systems * n**3 * 2 / 3
        if 3 * systems * n * n * item <= MOST_BYTES and flops <= MOST_FLOPS:
            found.append(Ladder({"batch": way}))
    if not found:
        raise ValueError(
            f"A dense solve takes over {MOST_FLOPS:.0e} flops or {MOST_BYTES:.1e} bytes at width {width} and batch "
            f"{batch}: it is left out."
        )
    return tuple(found)
