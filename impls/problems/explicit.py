"""Problems whose loss is computed outright."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from impls.problems.base import Drawn, Facts, Product, generator


def mlp(
    *, depth: int = 3, width: int = 1024, batch: int = 64, inputs: int = 784, classes: int = 10, seed: int | None = 0
) -> Drawn:
    """ReLU net of ``depth`` dense layers with biases, cross-entropy loss; the defaults are Baydin's 784-1024-1024-10.

    Weights are He-scaled gaussians; inputs are uniform in [0, 1]: times and bytes do not depend on pixel values.
    """
    rng = generator(seed)
    widths = [inputs, *[width] * (depth - 1), classes]
    layers = [{"W": rng.normal(0, np.sqrt(2 / m), (m, n)), "b": np.zeros(n)} for m, n in pairwise(widths)]
    return layers, {"x": rng.random((batch, inputs)), "y": rng.integers(0, classes, batch)}


def logistic(*, inputs: int = 784, classes: int = 10, batch: int = 64, seed: int | None = 0) -> Drawn:
    """Logistic regression: one dense layer with a bias, cross-entropy loss; an ``mlp`` of depth 1."""
    return mlp(depth=1, batch=batch, inputs=inputs, classes=classes, seed=seed)


def cnn(*, image: int = 28, channels: int = 64, hidden: int = 1024, batch: int = 64, seed: int | None = 0) -> Drawn:
    """Baydin's convolutional net: four 3×3 convolutions with ReLU, 2×2 max pooling after the second and the fourth,
    a dense layer with ReLU and one of 10 classes, biases everywhere, cross-entropy loss.

    The paper does not say how its convolutions treat edges, and re-implementations differ; here they keep the image's
    size with a border of zeros. Weights are He-scaled gaussians; pixels are uniform in [0, 1]. ``ValueError`` for an
    image that cannot be halved twice.
    """
    if image % 4:
        raise ValueError(f"cnn: image must be divisible by 4, since pooling halves it twice, not {image!r}.")
    rng = generator(seed)
    convolutions = [(3, 3, i, o) for i, o in pairwise([1, *[channels] * 4])]
    dense = list(pairwise([(image // 4) ** 2 * channels, hidden, 10]))
    layers = [
        {"W": rng.normal(0, np.sqrt(2 / np.prod(shape[:-1])), shape), "b": np.zeros(shape[-1])}
        for shape in (*convolutions, *dense)
    ]
    return layers, {"x": rng.random((batch, image, image, 1)), "y": rng.integers(0, 10, batch)}


STARTS: Mapping[str, tuple[float, float]] = {"beale": (0.0, 0.5), "rosenbrock": (-1.0, 0.0)}
"""Where test functions of two variables are minimised from, as in Baydin's figure 2: fixed, so no seed moves them."""

MINIMA: Mapping[str, tuple[float, float]] = {"beale": (3.0, 0.5), "rosenbrock": (1.0, 1.0)}
"""Where they are least: both are zero there."""


def beale(*, seed: int | None = 0) -> Drawn:
    """(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)² at its start, with nothing drawn and no batch."""
    return {"xy": np.array(STARTS["beale"])}, {}


def rosenbrock(*, seed: int | None = 0) -> Drawn:
    """(1 − x)² + 100 (y − x²)² at its start, with nothing drawn and no batch."""
    return {"xy": np.array(STARTS["rosenbrock"])}, {}


_NET = (Product("0/W", "first"), Product("*/W", "rest"))

EXPLICIT = (
    Facts("mlp", mlp, "explicit", _NET, kinked=True),
    Facts("logistic", logistic, "explicit", _NET),
    Facts(
        "cnn",
        cnn,
        "explicit",
        (
            Product("0/W", "first"),
            Product("1/W", "rest"),
            Product("2/W", "rest", side=lambda size: size // 2),
            Product("3/W", "rest", side=lambda size: size // 2),
            Product("*/W", "rest"),
        ),
        kinked=True,
    ),
    Facts("beale", beale, "explicit", ()),
    Facts("rosenbrock", rosenbrock, "explicit", ()),
)
