"""Our own contenders, in either framework: the methods of ``impls`` as a user would bind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bench.failures import NotApplicable
from bench.job import Binding
from bench.older import module
from bench.peers.cells import PeerCell
from bench.peers.contenders import STEPS, Contender, Ladder
from bench.subjects import loss_of

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
    bound = Binding(framework, contender.method, {"K": K, **options})
    return bound.value_and_grad(loss_of(framework, cell.problem, bound.fixed_point()))


def forward(framework: str, cell: PeerCell, K: int | None) -> Callable[..., Any]:
    """fn(params, batch) -> value, the plain solve; in torch to be called with no gradient recorded."""
    bound = Binding(framework, "jfb", {} if K is None else {"K": K})
    loss = loss_of(framework, cell.problem, bound.fixed_point())
    return lambda params, batch: loss(params, batch)[0]


def _net(contender: Contender, framework: str) -> Callable[..., Any]:
    """Of names such as ``ours factored step``: the law of the tangents, or backprop."""
    law, stepping = contender.kind.removesuffix(" step"), contender.method == "step"
    kept = {"keep_factored": True} if stepping and law == "factored" else {}  # a step writes no gradient down
    bound = Binding(framework, "forward_gradient", {"tangents": law, **kept}, "forward_gradient")
    if law == "backprop":
        bound = Binding(framework, "backprop")
    loss = loss_of(framework, "mlp")
    try:
        step = bound.train_step(loss) if stepping else None
        fn = bound.value_and_grad(loss)
    except (LookupError, TypeError):
        raise NotApplicable(f"This impls has no law of tangents {law!r}.") from None
    return (lambda params, batch, rng: step(params, batch, rng, RATE)) if step else fn
