"""Forward gradient that keeps no tangent: a layer's is drawn when the layer needs it, dropped, and drawn again.

    d = Σ_l ∂L/∂θ_l · v_l,   θ_l ← θ_l − η d v_l,   v_l from the same key both times

For dense ReLU nets (``mlp``). The draws are those of forward_gradient with gaussian tangents, and so is the update.
Cost: each tangent twice. Memory: one layer's tangent and two activations, flat in depth. Source: the second draw as in
MeZO, Malladi et al. 2023, arXiv:2305.17333, there for differences of losses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from impls.jax import ops


def directional(params: ops.Tree, batch: Mapping[str, Array], rng: Array) -> tuple[Array, Array]:
    """(loss, ∇L·v) by forward mode."""
    x, dx = batch["x"], jnp.zeros_like(batch["x"])
    for index, (layer, keys) in enumerate(zip(params, _keys(rng, params), strict=True)):
        layer, tangent = _held_back(layer, keys, after=dx)
        last = index == len(params) - 1
        x, dx = jax.jvp(lambda layer, x, last=last: _dense(layer, x, last), (layer, x), (tangent, dx))
    return jax.jvp(lambda x: ops.cross_entropy(x, batch["y"]), (x,), (dx,))


def _dense(layer: dict[str, Array], x: Array, last: bool) -> Array:
    x = ops.matmul(x, layer["W"]) + layer["b"]
    return x if last else jax.nn.relu(x)


def _keys(rng: Array, params: ops.Tree) -> list[dict[str, Array]]:
    """One key a leaf, as ``tangents.gaussian`` has them."""
    shape = jax.tree.structure(params)
    return jax.tree.unflatten(shape, list(jax.random.split(rng, shape.num_leaves)))


def _held_back(
    layer: dict[str, Array], keys: dict[str, Array], *, after: Array
) -> tuple[dict[str, Array], dict[str, Any]]:
    """A layer and its tangent, neither of them before ``after`` is known.

    A draw depends on a key alone, and values on no tangent: left free, the compiler makes all draws at once, computes
    all values ahead of the derivatives, and draws nothing twice. Barriers do not keep XLA's CPU compiler from it. So
    keys and biases depend on ``after``: they would be others if it were NaN.
    """
    lost = jnp.isnan(after.ravel()[0])
    keys = {name: jax.random.wrap_key_data(jax.random.key_data(key) + lost) for name, key in keys.items()}
    tangent = ops.tree_map(lambda p, key: jax.random.normal(key, p.shape, p.dtype), layer, keys)
    return {**layer, "b": jnp.where(lost, jnp.nan, layer["b"])}, tangent


def update(params: ops.Tree, batch: Mapping[str, Array], rng: Array, lr: float | Array) -> tuple[Array, ops.Tree]:
    """(loss, params after one step of size lr). In place where the caller donates params to the compiler."""
    value, derivative = directional(params, batch, rng)
    scale = last = lr * derivative
    updated = []
    for layer, keys in zip(params, _keys(rng, params), strict=True):
        layer, tangent = _held_back(layer, keys, after=last)
        updated.append(ops.tree_map(lambda p, v: p - scale * v, layer, tangent))
        last = updated[-1]["b"]
    return value, updated
