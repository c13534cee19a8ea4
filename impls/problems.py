"""Problems as numpy arrays: parameters and one batch, from one seeded generator, so that both frameworks get the same.

States are rows: z is (batch, width), and a weight acts from the right. Images are NHWC, kernels HWIO. Arrays are
float64 here and are cast when they are handed to a framework.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from jaxtyping import Float

from impls import datasets
from impls.names import pick

Tree = Any
"""Any nest of tuples, lists and dicts of arrays."""


@dataclass(frozen=True)
class Problem:
    """A named problem with its arrays. ``sizes`` holds every size, defaults filled in."""

    name: str
    sizes: Mapping[str, Any]
    params: Tree
    batch: Mapping[str, np.ndarray]


def make(name: str, *, seed: int | None = 0, **sizes: Any) -> Problem:
    """Build the problem ``name``; ``LookupError`` for an unknown name or size, ``ValueError`` for a bad value.

    seed None: for shapes alone, at sizes that no machine need hold; what is drawn is 1 throughout and takes no memory.
    """
    build = pick("problem", name, PROBLEMS)
    known = {key: p.default for key, p in inspect.signature(build).parameters.items() if key != "seed"}
    for key, value in sizes.items():
        default = pick(f"size of {name}", key, known)
        if isinstance(default, int) and (type(value) is not int or value < 1):
            raise ValueError(f"{name}: {key} must be a whole number from 1 up, not {value!r}.")
        if isinstance(default, float) and (
            type(value) is bool or not isinstance(value, int | float) or not 0 < value <= 4
        ):
            raise ValueError(f"{name}: {key} must lie in (0, 4], not {value!r}.")
    params, batch = build(seed=seed, **sizes)
    return Problem(name, {**known, **sizes}, params, batch)


def mlp(
    *, depth: int = 3, width: int = 1024, batch: int = 64, inputs: int = 784, classes: int = 10, seed: int | None = 0
) -> tuple[Tree, Mapping[str, np.ndarray]]:
    """ReLU net of ``depth`` dense layers with biases, cross-entropy loss; the defaults are Baydin's 784-1024-1024-10.

    Weights are He-scaled gaussians; inputs are uniform in [0, 1]: times and bytes do not depend on pixel values.
    """
    rng = _generator(seed)
    widths = [inputs, *[width] * (depth - 1), classes]
    layers = [{"W": rng.normal(0, np.sqrt(2 / m), (m, n)), "b": np.zeros(n)} for m, n in pairwise(widths)]
    return layers, {"x": rng.random((batch, inputs)), "y": rng.integers(0, classes, batch)}


def linear(
    *, width: int = 16, inputs: int = 16, batch: int = 8, gamma: float = 0.8, seed: int | None = 0
) -> tuple[Tree, Mapping[str, np.ndarray]]:
    """z = z A + x B with a non-normal A of spectral norm γ; loss ½‖z − y‖²/batch. Every method has a closed form."""
    rng = _generator(seed)
    mixed = rng.normal(size=(width, width))
    params = {"A": gamma * mixed / np.linalg.norm(mixed, 2), "B": _scaled(rng, inputs, width)}
    return params, _regression(rng, batch, inputs, width)


def tanh(
    *,
    width: int = 512,
    inputs: int = 64,
    batch: int = 64,
    gamma: float = 0.8,
    kind: str = "orthogonal",
    seed: int | None = 0,
) -> tuple[Tree, Mapping[str, np.ndarray]]:
    """z = tanh(z W + x U), W = γ Q: Q orthogonal (rotation-like) or symmetric with eigenvalues ±1; γ is its Lipschitz
    constant by construction."""
    rng = _generator(seed)
    q = np.linalg.qr(rng.normal(size=(width, width)))[0]
    spectra = {"orthogonal": lambda: q, "symmetric": lambda: (q * rng.choice([-1.0, 1.0], width)) @ q.T}
    params = {"W": gamma * pick("kind of tanh", kind, spectra)(), "U": _scaled(rng, inputs, width)}
    return params, _regression(rng, batch, inputs, width)


def newton(
    *, width: int = 64, inputs: int = 32, batch: int = 64, gamma: float = 0.9, seed: int | None = 0
) -> tuple[Tree, Mapping[str, np.ndarray]]:
    """The root problem g(x, z) = z − tanh(z W + x U) = 0, made for Newton's method: W is a dense, non-normal gaussian
    of spectral norm γ."""
    rng = _generator(seed)
    w = rng.normal(size=(width, width))
    params = {"W": gamma * w / np.linalg.norm(w, 2), "U": _scaled(rng, inputs, width)}
    return params, _regression(rng, batch, inputs, width)


def fpn(
    *, channels: int = 16, batch: int = 64, gamma: float = 0.8, seed: int | None = 0
) -> tuple[Tree, Mapping[str, np.ndarray]]:
    """JFB's fixed point network N(d) = S(u*), u* = R(u*, Q(d)), on 8×8 digits, cross-entropy loss.

    Q: two 3×3 convolutions with tanh between; R(u, q) = tanh(conv(u, W) + q) with circular convolution whose spectral
    norm is γ exactly (``circular_norm``), so that R is a γ-contraction in u; S linear.
    """
    rng = _generator(seed)
    images, labels = datasets.digits(batch, rng)
    kernel = rng.normal(size=(3, 3, channels, channels))
    params = {
        "Q1": rng.normal(0, 1 / 3, (3, 3, 1, channels)),
        "Q2": rng.normal(0, 1 / (3 * np.sqrt(channels)), (3, 3, channels, channels)),
        "R": gamma * kernel / circular_norm(kernel, 8),
        "S": _scaled(rng, 64 * channels, 10),
    }
    return params, {"x": images, "y": labels}


def circular_norm(kernel: Float[np.ndarray, "h w i o"], size: int) -> float:
    """Spectral norm of circular convolution on size × size images: the largest singular value over all frequencies.

    The Fourier transform turns it into one i × o matrix a frequency. Source: Sedghi, Gupta and Long, ICLR 2019.
    """
    return float(np.linalg.norm(np.fft.fft2(kernel, (size, size), axes=(0, 1)), 2, axis=(2, 3)).max())


class _Ones(np.random.Generator):
    """Draws nothing: arrays of ones that share one number."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(0))

    def normal(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
        return np.broadcast_to(1.0, size)

    def random(self, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Any:
        return np.broadcast_to(1.0, size)


def _generator(seed: int | None) -> np.random.Generator:
    return _Ones() if seed is None else np.random.default_rng(seed)


def _scaled(rng: np.random.Generator, m: int, n: int) -> Float[np.ndarray, "m n"]:
    return rng.normal(0, 1 / np.sqrt(m), (m, n))


def _regression(rng: np.random.Generator, batch: int, inputs: int, width: int) -> Mapping[str, np.ndarray]:
    return {"x": rng.normal(size=(batch, inputs)), "y": rng.normal(size=(batch, width))}


PROBLEMS: Mapping[str, Callable[..., tuple[Tree, Mapping[str, np.ndarray]]]] = {
    "mlp": mlp,
    "linear": linear,
    "tanh": tanh,
    "newton": newton,
    "fpn": fpn,
}
KIND: Mapping[str, str] = {name: "explicit" if name == "mlp" else "implicit" for name in PROBLEMS}
