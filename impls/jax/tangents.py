"""Tangents for forward gradients: laws with E[v vᵀ] = I over the n concatenated parameters.

law(rng, params, index) -> the tangent with that index among several; random ones take theirs from ``rng`` alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from impls.jax.ops import Tree, leaves, tree_map
from impls.names import pick

Tangents = str | Tree
Sample = Callable[[Any, Tree, Any], Tree]


def _draw(draw: Callable[..., Array], rng: Array, params: Tree) -> Tree:
    """One draw a leaf, each from its own key."""
    flat, shape = jax.tree.flatten(params)
    keys = jax.random.split(rng, len(flat))
    return jax.tree.unflatten(shape, [draw(k, p.shape, p.dtype) for k, p in zip(keys, flat, strict=True)])


def gaussian(rng: Array, params: Tree, index: Any = 0) -> Tree:
    """v_i ~ N(0, 1). Error n + 1."""
    return _draw(jax.random.normal, rng, params)


def rademacher(rng: Array, params: Tree, index: Any = 0) -> Tree:
    """v_i = ±1. Error n − 1, the least there is."""
    return _draw(jax.random.rademacher, rng, params)


def sphere(rng: Array, params: Tree, index: Any = 0) -> Tree:
    """v = √n u, u uniform on the unit sphere. Error n − 1."""
    drawn = gaussian(rng, params)
    square = sum((jnp.sum(v * v) for v in leaves(drawn)), jnp.asarray(0.0))
    scale = jnp.sqrt(sum(v.size for v in leaves(drawn)) / square)
    return tree_map(lambda v: v * scale.astype(v.dtype), drawn)


def basis(rng: Any, params: Tree, index: Any = 0) -> Tree:
    """v = √n e_i with i = index modulo n; nothing is drawn. Error n − 1 on average over i, and 0 for count = n."""
    flat, shape = jax.tree.flatten(params)
    starts = np.cumsum([0, *(p.size for p in flat)])
    n = int(starts[-1])
    made = [
        jnp.where(jnp.arange(p.size) == index % n - start, n**0.5, 0.0).astype(p.dtype).reshape(p.shape)
        for p, start in zip(flat, starts[:-1].tolist(), strict=True)
    ]
    return jax.tree.unflatten(shape, made)


LAWS: dict[str, Callable[[Any, Tree, Any], Tree]] = {
    "gaussian": gaussian,
    "rademacher": rademacher,
    "sphere": sphere,
    "basis": basis,
}


def sampler(tangents: Tangents, count: int) -> Sample:
    """sample(rng, params, index) -> tangent.

    tangents: a law's name (rng is then a ``jax.random`` key); arrays shaped as params, with a leading axis ``count``
    when count > 1; or "given": rng itself holds such arrays, so that they enter as arguments.
    """
    if not isinstance(count, int) or count < 1:
        raise ValueError(f"forward_gradient: count must be a whole number from 1 up, not {count!r}.")
    if isinstance(tangents, str) and tangents != "given":
        law = pick("law of tangents", tangents, {**LAWS, "given": gaussian})
        return lambda rng, params, index: law(jax.random.fold_in(rng, index) if count > 1 else rng, params, index)

    def given(rng: Any, params: Tree, index: Any) -> Tree:
        arrays = rng if isinstance(tangents, str) else tangents
        chosen = tree_map(lambda v: v[index], arrays) if count > 1 else arrays
        return tree_map(_fitting, params, chosen)

    return given


def _fitting(p: Array, v: Array) -> Array:
    if p.shape != v.shape:
        raise ValueError(
            f"forward_gradient: a tangent of shape {tuple(v.shape)} was given for a parameter of shape "
            f"{tuple(p.shape)}; tangents are shaped as params, with a leading axis count when count > 1."
        )
    return v
