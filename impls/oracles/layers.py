"""What a problem is to the oracles, and the parts that problems are made of, each with its transpose: dense layers,
read-outs, 3 × 3 convolution as a matrix product over neighbourhoods, pooling."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Array = np.ndarray
Grads = dict[str, Array]


@dataclass(frozen=True)
class Implicit:
    """An implicit problem at its data. step(z) → (z', pull) with pull(g) → (gᵀ ∂R/∂z, gᵀ ∂R/∂args as a dict);
    encode(those) → the part of the parameter gradient that flows through args; loss(z) → (value, g, read-out part)."""

    z0: Array
    step: Callable[[Array], tuple[Array, Callable[[Array], tuple[Array, Grads]]]]
    encode: Callable[[Grads], Grads]
    loss: Callable[[Array], tuple[float, Array, Grads]]


def cross_entropy(logits: Array, labels: Array) -> tuple[float, Array]:
    """Mean of −log softmax(logits)[label], and its derivative by the logits."""
    shifted = logits - logits.max(1, keepdims=True)
    p = np.exp(shifted) / np.exp(shifted).sum(1, keepdims=True)
    rows = np.arange(len(labels))
    value = -(shifted[rows, labels] - np.log(np.exp(shifted).sum(1))).mean()
    p[rows, labels] -= 1
    return float(value), p / len(labels)


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


def patches(x: Array, *, circular: bool) -> Array:
    """The 3 × 3 neighbourhood of every pixel, (b, h, w, 9 c), taps in the order of an HWIO kernel."""
    h, w = x.shape[1:3]
    x = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), "wrap" if circular else "constant")
    return np.concatenate([x[:, i : i + h, j : j + w] for i in range(3) for j in range(3)], axis=-1)


def patches_transposed(g: Array, *, circular: bool) -> Array:
    """Each pixel's sum over the neighbourhoods that hold it."""
    b, h, w, _ = g.shape
    taps = np.split(g, 9, axis=-1)
    if circular:
        return sum(np.roll(tap, (k // 3 - 1, k % 3 - 1), (1, 2)) for k, tap in enumerate(taps))  # type: ignore[return-value]
    full = np.zeros((b, h + 2, w + 2, taps[0].shape[-1]), g.dtype)
    for k, tap in enumerate(taps):
        full[:, k // 3 : k // 3 + h, k % 3 : k % 3 + w] += tap
    return full[:, 1:-1, 1:-1]


def max_pool(x: Array, size: int) -> tuple[Array, Callable[[Array], Array]]:
    """The largest pixel of every window, and the transpose: it puts each entry back on the first pixel as large."""
    b, h, w, c = x.shape
    rows, columns = h // size, w // size
    tiles = x[:, : rows * size, : columns * size].reshape(b, rows, size, columns, size, c)
    windows = tiles.transpose(0, 1, 3, 5, 2, 4).reshape(b, rows, columns, c, size * size)
    first = windows.argmax(-1)[..., None]

    def back(g: Array) -> Array:
        spread = np.zeros_like(windows)
        np.put_along_axis(spread, first, g[..., None], -1)
        full = np.zeros_like(x)
        tiled = spread.reshape(b, rows, columns, c, size, size).transpose(0, 1, 4, 2, 5, 3)
        full[:, : rows * size, : columns * size] = tiled.reshape(b, rows * size, columns * size, c)
        return full

    return np.take_along_axis(windows, first, -1)[..., 0], back


def kernel_gradient(patches: Array, g: Array, kernel: Array) -> Array:
    """Derivative by the kernel, from the neighbourhoods that it was applied to and the derivative by the result."""
    return np.tensordot(patches, g, ((0, 1, 2), (0, 1, 2))).reshape(kernel.shape)
