"""What problems draw, from one seeded generator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

Tree = Any
"""Any nest of tuples, lists and dicts of arrays."""

Drawn = tuple[Tree, Mapping[str, np.ndarray]]
"""Parameters and one batch."""


def generator(seed: int | None) -> np.random.Generator:
    """numpy's own; with seed None one whose arrays are 1 throughout and take no memory."""
    return _Ones() if seed is None else np.random.default_rng(seed)


def scaled(rng: np.random.Generator, m: int, n: int) -> Float[np.ndarray, "m n"]:
    """A gaussian weight, x W of whose rows is as long as x on average where m = n."""
    return rng.normal(0, 1 / np.sqrt(m), (m, n))


def orthogonal(rng: np.random.Generator, n: int) -> Float[np.ndarray, "n n"]:
    """An orthogonal matrix, from the QR decomposition of a gaussian one."""
    return np.linalg.qr(rng.normal(size=(n, n)))[0]


def regression(rng: np.random.Generator, batch: int, inputs: int, width: int) -> Mapping[str, np.ndarray]:
    """Gaussian inputs x and targets y."""
    return {"x": rng.normal(size=(batch, inputs)), "y": rng.normal(size=(batch, width))}


class _Ones(np.random.Generator):
    """Draws nothing: arrays of ones that share one number."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(0))

    def normal(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
        return np.broadcast_to(1.0, size)

    def random(self, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Any:
        return np.broadcast_to(1.0, size)
