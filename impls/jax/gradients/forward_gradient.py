"""Forward gradient: one directional derivative along a random tangent, times that tangent.

    g = (∇L(θ)·v) v,   E[v vᵀ] = I,   so E[g] = ∇L(θ)

Unbiased; E‖g − ∇L‖²/‖∇L‖² is n + 1 for gaussian v and n − 1 for rademacher and sphere, over count. The law basis takes
v = √n e_i for i = 0, …, count − 1: n − 1 on average over i, and the gradient itself with count = n. Cost: one jvp, as
many products as backprop. Memory: flat in depth beyond the tangents and the result, which takes the tangents' place.
Source: Baydin, Pearlmutter, Syme, Wood and Torr 2022, arXiv:2202.08587.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from impls.jax import ops
from impls.jax.tangents import Tangents, sampler
from impls.jax.types import Loss, ValueAndGrad


def directional(
    loss: Loss, params: ops.Tree, batch: Mapping[str, Array], tangent: ops.Tree
) -> tuple[Array, Array, Any]:
    """(loss, ∇L·v, aux) by forward mode."""
    (value, derivative, aux) = jax.jvp(lambda p: loss(p, batch), (params,), (tangent,), has_aux=True)
    return value, derivative, aux


def value_and_grad(loss: Loss, *, tangents: Tangents = "gaussian", count: int = 1) -> ValueAndGrad:
    """fn(params, batch, rng) -> (loss, mean of count estimates shaped as params, aux).

    tangents: a law, or given arrays; see ``tangents.sampler``, which says what rng then is. Raises ``LookupError`` for
    an unknown law and ``ValueError`` for tangents that do not fit the parameters.
    """
    sample = sampler(tangents, count)

    def fn(params: ops.Tree, batch: Mapping[str, Array], rng: Any = None) -> tuple[Array, ops.Tree, Any]:
        def estimate(index: Any) -> tuple[Array, ops.Tree, Any]:
            tangent = sample(rng, params, index)
            value, derivative, aux = directional(loss, params, batch, tangent)
            return value, ops.tree_map(lambda v: v * (derivative / count), tangent), aux

        if count == 1:
            return estimate(0)
        # One tangent at a time, so that memory does not grow with count.
        value, total, aux = estimate(0)
        total = jax.lax.fori_loop(
            1, count, lambda index, total: ops.tree_map(jnp.add, total, estimate(index)[1]), total
        )
        return value, total, aux

    return fn
