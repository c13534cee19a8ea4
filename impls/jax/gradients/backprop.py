"""Backprop: reverse mode through the whole loss.

    g = ∇L(θ)

Exact. Cost: at most twice the forward's products on top of it; the first layer needs no product for its data.
Memory: the activations of all layers. Source: Linnainmaa 1970; Rumelhart, Hinton and Williams 1986.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
from jax import Array

from impls.jax import ops
from impls.jax.types import Loss, ValueAndGrad


def value_and_grad(loss: Loss) -> ValueAndGrad:
    """fn(params, batch, rng) -> (loss, gradient shaped as params, aux); rng is not used."""
    differentiate = jax.value_and_grad(loss, has_aux=True)

    def fn(params: ops.Tree, batch: Mapping[str, Array], rng: Any = None) -> tuple[Array, ops.Tree, Any]:
        (value, aux), grads = differentiate(params, batch)
        return value, grads, aux

    return fn
