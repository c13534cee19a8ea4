"""Norms of batches: one number a sample, over all its other axes.

Squares overflow and underflow long before numbers do, in float32 beyond 1e±19: what may have any scale is divided by
its ``sizes`` first.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float


def sample_norms(x: Float[Array, "b *n"]) -> Float[Array, " b"]:
    """Euclidean norm of each sample, of an x whose squares are in range."""
    return jnp.linalg.norm(x.reshape(len(x), -1), axis=1)


def largest_ratio(x: Float[Array, "b *n"], y: Float[Array, "b *n"], *, spare: bool = False) -> Float[Array, ""]:
    """The largest over samples of ‖x‖/‖y‖, whatever their scale; 0 for 0/0. spare is there for the twin."""
    del spare
    size = sizes(y)
    part = sample_norms(x / size)
    return jnp.where(part > 0, part / sample_norms(y / size), part).max()


def dots(x: Float[Array, "b *n"], y: Float[Array, "b *n"]) -> Float[Array, "b *n"]:
    """x·y of each sample, shaped to scale states."""
    return (x * y).sum(range(1, x.ndim), keepdims=True)


def widened(x: Float[Array, "*n"]) -> Float[Array, "*n"]:
    """x itself, or in float32 where it has fewer digits: no factorisation takes bfloat16 or float16."""
    return x.astype(jnp.float32) if jnp.finfo(x.dtype).bits < 32 else x


def sizes(x: Float[Array, "b *n"]) -> Float[Array, "b *n"]:
    """Largest absolute entry of each sample, or the least normal number; shaped to scale states."""
    return jnp.maximum(abs(x).max(range(1, x.ndim), keepdims=True), jnp.finfo(x.dtype).tiny)
