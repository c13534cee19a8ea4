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

from impls.jax.factored import Factored
from impls.jax.ops import Tree, leaves, tree_map
from impls.names import pick

Tangents = str | Tree
Sample = Callable[[Any, Tree, Any], Tree]


def _draw(draw: Callable[..., Array], rng: Array, params: Tree) -> Tree:
    """One draw a leaf, each from its own key."""
    flat, shape = jax.tree.flatten(params)
    keys = jax.random.split(rng, len(flat))
    return jax.tree.unflatten(shape, [draw(k, p) for k, p in zip(keys, flat, strict=True)])


def normal(rng: Array, like: Array) -> Array:
    """N(0, 1), shaped as ``like``: the numbers of ``jax.random.normal``, in float32 in half of its time."""
    known = jnp.issubdtype(rng.dtype, jax.dtypes.prng_key) and str(jax.random.key_impl(rng)) == "threefry2x32"
    plain = known and jax.config.jax_threefry_partitionable and like.dtype == jnp.float32
    if not plain or like.size >= 2**32:
        return jax.random.normal(rng, like.shape, like.dtype)
    key, pieces = jax.random.key_data(rng), _PIECES if like.size >= _LARGE else 1
    piece = jnp.arange(-(-like.size // pieces), dtype=jnp.uint32)
    # In a loop: XLA would draw anew for every use what is one pass of arithmetic.
    drawn = jax.lax.map(
        lambda first: _from_bits(_bits(key, first + piece)), piece.size * jnp.arange(pieces, dtype="uint32")
    )
    return drawn.reshape(-1)[: like.size].reshape(like.shape)


def _from_bits(bits: Array) -> Array:
    """√2 erf⁻¹(u): 23 bits as the fraction of a number in [1, 2), moved to (-1, 1) without its lower end, where erf⁻¹
    is infinite."""
    least = np.nextafter(np.float32(-1), np.float32(0))
    unit = jax.lax.bitcast_convert_type(bits >> 9 | np.uint32(0x3F800000), jnp.float32) - 1
    return np.float32(2**0.5) * jax.lax.erf_inv(jnp.maximum(least, unit * (1 - least) + least))


def _bits(key: Array, index: Array) -> Array:
    """The 32-bit numbers of ``jax.random.bits``: Threefry-2x32 with 20 rounds, both halves of a block combined.

    jax compiles the rounds for a CPU as a loop that writes its state to memory; written out they are one pass.
    Source: Salmon, Moraes, Dror and Shaw, SC 2011.
    """
    keys = (key[0], key[1], key[0] ^ key[1] ^ np.uint32(0x1BD11BDA))
    x, y = jnp.full_like(index, keys[0]), index + keys[1]
    for group in range(5):
        for turn in _ROTATIONS[group % 2]:
            x = x + y
            y = x ^ (y << turn | y >> 32 - turn)
        x, y = x + keys[(group + 1) % 3], y + keys[(group + 2) % 3] + np.uint32(group + 1)
    return x ^ y


_PIECES, _LARGE = 8, 4096
"""Of an array of at least so many numbers."""

_ROTATIONS = (13, 15, 26, 6), (17, 29, 16, 24)


def gaussian(rng: Array, params: Tree, index: Any = 0) -> Tree:
    """v_i ~ N(0, 1). Error n + 1."""
    return _draw(normal, rng, params)


def rademacher(rng: Array, params: Tree, index: Any = 0) -> Tree:
    """v_i = ±1. Error n − 1, the least there is."""
    return _draw(lambda key, p: jax.random.rademacher(key, p.shape, p.dtype), rng, params)


def sphere(rng: Array, params: Tree, index: Any = 0) -> Tree:
    """v = √n u, u uniform on the unit sphere. Error n − 1."""
    drawn = gaussian(rng, params)
    square = sum((jnp.sum(v * v) for v in leaves(drawn)), jnp.asarray(0.0))
    scale = jnp.sqrt(sum(v.size for v in leaves(drawn)) / square)
    return tree_map(lambda v: v * scale.astype(v.dtype), drawn)


def factored(rng: Array, params: Tree, index: Any = 0) -> Tree:
    """v = a ⊗ b for each weight, a_i = ±1 and b_j = ±1; vectors as ``rademacher``. Error n − 1; its fourth moment is
    larger, up to 9 (∇L·v)² squared on average for 3 of gaussian. n numbers cost as few draws as there are signs."""
    flat, shape = jax.tree.flatten(params)
    counts = [(p.size // p.shape[-1], p.shape[-1]) if p.ndim > 1 else (p.size,) for p in flat]
    ends = np.cumsum([n for each in counts for n in each])
    pieces = iter(jnp.split(jax.random.rademacher(rng, (int(ends[-1]),), flat[0].dtype), ends[:-1]))

    def made(p: Array) -> Array | Factored:
        a, *b = (next(pieces).astype(p.dtype) for _ in range(min(p.ndim, 2) or 1))
        return Factored(a.reshape(p.shape[:-1]), *b) if b else a.reshape(p.shape)

    return jax.tree.unflatten(shape, [made(p) for p in flat])


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
    "factored": factored,
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
