"""Forward gradient: one directional derivative along a random tangent, times that tangent.

    g = (∇L(θ)·v) v,   E[v vᵀ] = I,   so E[g] = ∇L(θ)

Unbiased; E‖g − ∇L‖²/‖∇L‖² is n + 1 for gaussian v and n − 1 for rademacher, sphere and factored, over count. The law
basis takes v = √n e_i for i = 0, …, count − 1: n − 1 on average over i, and the gradient itself with count = n. Cost:
one jvp, as many products as backprop; none with a weight's tangent under the law factored. Memory: flat in depth beyond
the tangents and the result, which takes the tangents' place.
Source: Baydin, Pearlmutter, Syme, Wood and Torr 2022, arXiv:2202.08587.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from impls.jax import ops
from impls.jax.factored import Factored
from impls.jax.perturbed import perturbed
from impls.jax.tangents import Tangents, sampler
from impls.jax.types import Loss, ValueAndGrad


def directional(
    loss: Loss, params: ops.Tree, batch: Mapping[str, Array], tangent: ops.Tree
) -> tuple[Array, Array, Any]:
    """(loss, ∇L·v, aux) by forward mode."""

    def along(eps: Array) -> tuple[Array, Any]:
        return loss(ops.tree_map(lambda p, v: perturbed(p, v, eps), params, tangent), batch)

    value, derivative, aux = jax.jvp(along, (jnp.zeros(()),), (jnp.ones(()),), has_aux=True)
    return value, derivative, ops.stop_gradient(aux)


def value_and_grad(
    loss: Loss, *, tangents: Tangents = "gaussian", count: int = 1, keep_factored: bool = False
) -> ValueAndGrad:
    """fn(params, batch, rng) -> (loss, mean of count estimates shaped as params, aux).

    tangents: a law, or given arrays; see ``tangents.sampler``, which says what rng then is. keep_factored: leave the
    gradient of a weight along a ``Factored`` tangent one, as ``train_step`` takes it. Raises ``LookupError`` for an
    unknown law and ``ValueError`` for tangents that do not fit the parameters or are too many to stay factored.
    """
    if keep_factored and count != 1:
        raise ValueError(f"forward_gradient: a sum of {count} factored tangents has no factors: set count=1.")
    sample = sampler(tangents, count)

    def scaled(v: Array | Factored, s: Array) -> Array | Factored:
        if isinstance(v, Factored):
            return v.scaled(s) if keep_factored else v.scaled(s).dense()
        return v * s

    def fn(params: ops.Tree, batch: Mapping[str, Array], rng: Any = None) -> tuple[Array, ops.Tree, Any]:
        def estimate(index: Any) -> tuple[Array, ops.Tree, Any]:
            tangent = sample(rng, params, index)
            value, derivative, aux = directional(loss, params, batch, tangent)
            return value, ops.tree_map(lambda _, v: scaled(v, derivative / count), params, tangent), aux

        if count == 1:
            return estimate(0)
        # One tangent at a time, so that memory does not grow with count.
        value, total, aux = estimate(0)
        total = jax.lax.fori_loop(
            1, count, lambda index, total: ops.tree_map(jnp.add, total, estimate(index)[1]), total
        )
        return value, total, aux

    return fn
