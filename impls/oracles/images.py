"""Convolution with 3 × 3 kernels as a matrix product over neighbourhoods, pooling, and their transposes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from impls.oracles.types import Array


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
