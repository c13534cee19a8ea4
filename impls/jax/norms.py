"""Norms of batches: one number a sample, over all its other axes."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float


def sample_norms(x: Float[Array, "b *n"]) -> Float[Array, " b"]:
    """Euclidean norm of each sample."""
    return jnp.linalg.norm(x.reshape(len(x), -1), axis=1)


def largest_ratio(x: Float[Array, "b *n"], y: Float[Array, "b *n"]) -> Float[Array, ""]:
    """The largest over samples of ‖x‖/‖y‖; 0 for 0/0."""
    tiny = jnp.finfo(x.dtype).tiny
    return (sample_norms(x) / jnp.maximum(sample_norms(y), tiny)).max()


def dots(x: Float[Array, "b *n"], y: Float[Array, "b *n"]) -> Float[Array, "b *n"]:
    """x·y of each sample, shaped to scale states."""
    return (x * y).sum(range(1, x.ndim), keepdims=True)


def sizes(x: Float[Array, "b *n"]) -> Float[Array, "b *n"]:
    """Largest absolute entry of each sample, or the least number above 0; shaped to scale states."""
    return jnp.maximum(abs(x).max(range(1, x.ndim), keepdims=True), jnp.finfo(x.dtype).tiny)
