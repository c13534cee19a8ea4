"""One step of plain stochastic gradient descent, whichever way its gradient is found, and what refuses a bad one.

    θ ← θ − lr·g(θ, batch)

Cost: one ``value_and_grad``, and one pass over the parameters. Memory: the
gradient's, and the new parameters beside the old ones. Time of a step ÷ time of a forward is called R_step, never R,
which is of the gradient alone. Source: Robbins and Monro 1951.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from impls.torch import ops
from impls.torch.factored import Factored
from impls.torch.types import ValueAndGrad

TrainStep = Callable[[ops.Tree, Mapping[str, Tensor], Any, float | Tensor], tuple[Tensor, ops.Tree, Any]]
"""fn(params, batch, rng, lr) -> (value at the old params, new params, aux)."""


def train_step(value_and_grad: ValueAndGrad) -> TrainStep:
    """fn(params, batch, rng, lr) -> (loss at params, θ − lr·g shaped as params, aux); params stay as they are.

    lr, a number or an array without axes, comes with every call, so that a schedule recompiles nothing. Raises
    ``ValueError`` for an lr with axes, and what ``value_and_grad`` raises.
    """

    def fn(params: ops.Tree, batch: Mapping[str, Tensor], rng: Any, lr: float | Tensor) -> tuple[Tensor, ops.Tree, Any]:
        if shape := tuple(getattr(lr, "shape", ())):
            raise ValueError(f"train_step: lr must be one number, not an array of shape {shape}.")
        value, grads, aux = value_and_grad(params, batch, rng)
        with torch.no_grad():
            return value, ops.tree_map(lambda p, g: descended(p, g, lr), params, grads), aux

    return fn


def descended(p: Tensor, g: Tensor | Factored, lr: float | Tensor) -> Tensor:
    """p − lr·g in one pass; a factored g is never written down."""
    if isinstance(g, Factored):
        return g.scaled(lr).descended(p)
    return p - lr * g if isinstance(lr, Tensor) else torch.add(p, g, alpha=-lr)


def require_finite(value: Any, grads: ops.Tree) -> None:
    """``FloatingPointError`` for a loss or gradient with NaN or infinity in it. Waits for the device."""
    if not bool(torch.isfinite(value).all()):
        raise FloatingPointError(f"The loss is {float(value)}: the forward solve diverged or the input is bad.")
    if not all(bool(torch.isfinite(leaf).all()) for leaf in ops.leaves(grads)):
        raise FloatingPointError(
            "The loss is finite and its gradient is not: I − J is singular, or the backward solve missed its "
            "tolerance; give it more steps, or another linear solver."
        )
