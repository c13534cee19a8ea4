"""A dense layer as a step, with its transpose, and read-outs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from impls.oracles.losses import cross_entropy
from impls.oracles.types import Array, Grads

Activation = Callable[[Array], tuple[Array, Array]]
"""a ↦ (φ(a), φ'(a)), for complex a too: a derivative along d is the imaginary part at a + i h d."""

Step = Callable[[Array], tuple[Array, Callable[[Array], tuple[Array, Grads]]]]
"""z ↦ (R(z), pull) with pull(g) = (gᵀ ∂R/∂z, gᵀ ∂R/∂args)."""


def identity(a: Array) -> tuple[Array, Array]:
    return a, np.ones_like(a)


def tanh(a: Array) -> tuple[Array, Array]:
    value = np.tanh(a)
    return value, 1 - value**2


def relu(a: Array) -> tuple[Array, Array]:
    on = a.real > 0
    return np.where(on, a, 0), on.astype(a.dtype)


def dense_step(W: Array, q: Array, activation: Activation, kept: float = 0.0) -> Step:
    """R(z) = kept · z + (1 − kept) φ(z W + q); its args are W and q."""

    def step(z: Array) -> tuple[Array, Callable[[Array], tuple[Array, Grads]]]:
        value, slope = activation(z @ W + q)

        def pull(g: Array) -> tuple[Array, Grads]:
            inner = (1 - kept) * g * slope
            return kept * g + inner @ W.T, {"W": z.T @ inner, "q": inner}

        return kept * z + (1 - kept) * value, pull

    return step


def half_square(z: Array, y: Array) -> tuple[float, Array, Grads]:
    """½‖z − y‖²/batch, its derivative by z, and no parameters of a read-out."""
    return 0.5 * float(((z - y) ** 2).sum()) / len(z), (z - y) / len(z), {}


def classified(z: Array, S: Array, shift: Array | float, y: Array) -> tuple[float, Array, Array, Array]:
    """Cross-entropy of the logits z S + shift: its value and derivatives by z, S and the logits."""
    value, g = cross_entropy(z @ S + shift, y)
    return value, g @ S.T, z.T @ g, g
