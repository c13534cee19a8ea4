"""What a row of the problems says, and what they draw from one seeded generator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

Tree = Any
"""Any nest of tuples, lists and dicts of arrays."""

Drawn = tuple[Tree, Mapping[str, np.ndarray]]
"""Parameters and one batch."""


@dataclass(frozen=True)
class Product:
    """One matmul or convolution of the forward with a weight, as a flop ratio counts it.

    weight: its path in params, such as ``0/W``; ``*`` stands for every weight that no other product of the problem
    names. part: where it belongs in ``impls.catalog.Work``: "first" acts on the data alone, "rest" is outside step on
    what needs a derivative itself, "step" is in step, and no gradient passes through "fixed". side: of a kernel, the
    height and width of the images that it acts on, from those of the batch. squared: AᵀA, the weight with itself
    rather than with the batch. times: how often it is taken.
    """

    weight: str
    part: Literal["first", "rest", "step", "fixed"]
    side: Callable[[int], int] = lambda size: size
    squared: bool = False
    times: int = 1


@dataclass(frozen=True)
class Facts:
    """The row of a problem. draw: makes its arrays; its keywords are the problem's sizes. kind: explicit, or implicit
    with a fixed point. products: those of its forward. kinked: it has a ReLU, so that rounding may put a preactivation
    on the other side of its kink. solver: the forward solver that it usually takes. instance: what the JFB paper calls
    it in its list of instances of N(d) = S(u*)."""

    name: str
    draw: Callable[..., Drawn]
    kind: Literal["explicit", "implicit"]
    products: tuple[Product, ...]
    kinked: bool = False
    solver: str = "picard"
    instance: str = ""


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
