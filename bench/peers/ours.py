"""Our own contenders, in either framework: the files of ``impls`` as a user would call them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from bench.failures import NotApplicable
from bench.older import module
from bench.peers.cells import PeerCell
from bench.peers.contenders import Contender
from bench.peers.ladders import STEPS, Ladder

LEFT_OUT = ("dense", "normal_cg_published")
"""Linear solvers that no one would choose here: a matrix a sample, and an iteration three times as dear as it has to
be."""

RATE = 1.0
"""Of a training step: at this rate the new parameters tell the gradient to float32's rounding."""


def options(contender: Contender, framework: str, cell: PeerCell) -> tuple[Ladder, ...]:
    """Every linear solver that there is, each with its steps; nothing to choose for the other methods."""
    if contender.method != "ift":
        return (Ladder(),)
    table = module(f"impls.{framework}.linear_solvers").LINEAR_SOLVERS
    return tuple(Ladder({"linear_solver": name}, "M", STEPS) for name in table if name not in LEFT_OUT)


def gradient(
    contender: Contender, framework: str, cell: PeerCell, K: int | None, options: Mapping[str, Any]
) -> Callable[..., Any]:
    """fn(params, batch, rng) -> (value, gradient or new parameters, aux)."""
    if cell.problem == "mlp":
        return _net(contender, framework)
    bound: dict[str, Any] = {}
    if contender.method == "ift":
        kind = module(f"impls.{framework}.linear_solvers").LINEAR_SOLVERS[options["linear_solver"]]
        bound["linear_solver"] = kind(steps=options["M"])
    backprop: Any = module(f"impls.{framework}.gradients.backprop")
    found: Callable[..., Any] = backprop.value_and_grad(_loss(framework, cell, contender.method, K, **bound))
    return found


def forward(framework: str, cell: PeerCell, K: int | None) -> Callable[..., Any]:
    """fn(params, batch) -> value, the plain solve; in torch to be called with no gradient recorded."""
    loss = module(f"impls.{framework}.models").loss("mlp") if K is None else _loss(framework, cell, "jfb", K)
    return lambda params, batch: loss(params, batch)[0]


def _loss(framework: str, cell: PeerCell, adjoint: str, K: int | None, **bound: Any) -> Callable[..., Any]:
    solver = module(f"impls.{framework}.solvers").Picard(steps=K)
    fixed_point = partial(module(f"impls.{framework}.adjoints.{adjoint}").fixed_point, solver=solver, **bound)
    loss: Callable[..., Any] = module(f"impls.{framework}.models").loss(cell.problem, fixed_point)
    return loss


def _net(contender: Contender, framework: str) -> Callable[..., Any]:
    """Of names such as ``ours factored step``: the law of the tangents, or backprop."""
    law, loss = contender.kind.removesuffix(" step"), module(f"impls.{framework}.models").loss("mlp")
    stepping, made = contender.method == "step", None
    if law == "backprop":
        made = module(f"impls.{framework}.gradients.backprop").value_and_grad(loss)
    else:
        method = module(f"impls.{framework}.gradients.forward_gradient")
        kept = {"keep_factored": True} if stepping and law == "factored" else {}  # a step writes no gradient down
        try:
            made = method.value_and_grad(loss, tangents=law, **kept)
        except (LookupError, TypeError):
            raise NotApplicable(f"This impls has no law of tangents {law!r}.") from None
    step: Callable[..., Any] = module(f"impls.{framework}.training").train_step(made)
    return (lambda params, batch, rng: step(params, batch, rng, RATE)) if stepping else made
