"""Frozen plain jax: nothing of ``impls``, so that what the instruments say of it moves only when jax moves.

The net is x ← tanh(x W_l), the fixed point z = tanh(z W + x U), and both losses are the mean square of the last state.
Loops are written twice, as Python loops and as ``lax.scan``: the compiler treats them apart.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

VERSION = tuple(map(int, jax.__version__.split(".")[:3]))
TANH = 2 if VERSION < (0, 11, 2) else 1
"""Arrays that jax's tanh leaves for its backward pass: y and 1 − y, and from jax 0.11.2 on 1 − y² alone. Where y is
needed anyway, as by the next product, both leave one array beside it."""

WIDTH, BATCH = 64, 256
ADJOINT_STEPS = 20

Weights = Any
"""A list of matrices, or one array that stacks them."""


def shaped(*shape: int) -> Any:
    """A float32 array without numbers: what is only compiled or traced needs none."""
    return jax.ShapeDtypeStruct(shape, jnp.float32)


def mean_square(x: Array) -> Array:
    return (x * x).mean()


def loop_net(weights: Weights, x: Array) -> Array:
    """The loss of the net, layer after layer."""
    for weight in weights:
        x = jnp.tanh(x @ weight)
    return mean_square(x)


def scan_net(weights: Weights, x: Array) -> Array:
    """The same loss by ``lax.scan`` over stacked weights."""
    return mean_square(jax.lax.scan(lambda x, weight: (jnp.tanh(x @ weight), None), x, weights)[0])


def slope(net: Any, weights: Weights, x: Array, tangents: Weights) -> Array:
    """∇L·v by forward mode: a forward gradient before it scales its tangents."""
    return jax.jvp(lambda weights: net(weights, x), (weights,), (tangents,))[1]


def step(z: Array, w: Array, u: Array, x: Array) -> Array:
    """R(z) = tanh(z W + x U); the compiler finds by itself that x U is the same in every step."""
    return jnp.tanh(z @ w + x @ u)


def loop_solve(K: int, w: Array, u: Array, x: Array) -> Array:
    """z_K from z₀ = 0, as a Python loop."""
    z = jnp.zeros_like(x)
    for _ in range(K):
        z = step(z, w, u, x)
    return z


def scan_solve(K: int, w: Array, u: Array, x: Array) -> Array:
    """z_K from z₀ = 0, as ``lax.scan``."""
    return jax.lax.scan(lambda z, _: (step(z, w, u, x), None), jnp.zeros_like(x), None, length=K)[0]


def loop_unrolled(K: int, weights: Weights, x: Array) -> Array:
    return mean_square(loop_solve(K, *weights, x))


def scan_unrolled(K: int, weights: Weights, x: Array) -> Array:
    return mean_square(scan_solve(K, *weights, x))


def jfb(K: int, weights: Weights, x: Array) -> Array:
    """K − 1 steps that pass no gradient on, and one that does."""
    z = jax.lax.stop_gradient(scan_solve(K - 1, *jax.lax.stop_gradient(weights), x))
    return mean_square(step(z, *weights, x))


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def implicit(K: int, w: Array, u: Array, x: Array) -> Array:
    """z_K with the derivative of the fixed point: its adjoint by Picard steps, linearised at z_K."""
    return scan_solve(K, w, u, x)


def _ahead(K: int, w: Array, u: Array, x: Array) -> Any:
    z = scan_solve(K, w, u, x)
    return z, (z, w, u, x)


def _back(K: int, kept: Any, g: Array) -> Any:
    z, w, u, x = kept
    _, pull = jax.vjp(lambda z, w, u: step(z, w, u, x), z, w, u)
    adjoint = jax.lax.fori_loop(0, ADJOINT_STEPS, lambda _, adjoint: g + pull(adjoint)[0], g)
    return (*pull(adjoint)[1:], None)


implicit.defvjp(_ahead, _back)


def ift(K: int, weights: Weights, x: Array) -> Array:
    return mean_square(implicit(K, *weights, x))
