"""Problems whose loss is taken at a fixed point z* = R(z*), most of them instances of N(d) = S(u*), u* = R(u*, Q(d)),
the network of the JFB paper (arXiv:2103.12803).

States are rows: z is (batch, width), and a weight acts from the right.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from impls import datasets
from impls.names import pick
from impls.problems.base import Drawn, Facts, Product, generator, orthogonal, regression, scaled


def linear(*, width: int = 16, inputs: int = 16, batch: int = 8, gamma: float = 0.8, seed: int | None = 0) -> Drawn:
    """z = z A + x B with a non-normal A of spectral norm γ; loss ½‖z − y‖²/batch. Every method has a closed form."""
    rng = generator(seed)
    mixed = rng.normal(size=(width, width))
    params = {"A": gamma * mixed / np.linalg.norm(mixed, 2), "B": scaled(rng, inputs, width)}
    return params, regression(rng, batch, inputs, width)


def tanh(
    *,
    width: int = 512,
    inputs: int = 64,
    batch: int = 64,
    gamma: float = 0.8,
    kind: str = "orthogonal",
    seed: int | None = 0,
) -> Drawn:
    """z = tanh(z W + x U), W = γ Q: Q orthogonal (rotation-like) or symmetric with eigenvalues ±1; γ is its Lipschitz
    constant by construction."""
    rng = generator(seed)
    q = orthogonal(rng, width)
    spectra = {"orthogonal": lambda: q, "symmetric": lambda: (q * rng.choice([-1.0, 1.0], width)) @ q.T}
    params = {"W": gamma * pick("kind of tanh", kind, spectra)(), "U": scaled(rng, inputs, width)}
    return params, regression(rng, batch, inputs, width)


def newton(*, width: int = 64, inputs: int = 32, batch: int = 64, gamma: float = 0.9, seed: int | None = 0) -> Drawn:
    """The root problem g(x, z) = z − tanh(z W + x U) = 0, made for Newton's method: W is a dense, non-normal gaussian
    of spectral norm γ."""
    rng = generator(seed)
    w = rng.normal(size=(width, width))
    params = {"W": gamma * w / np.linalg.norm(w, 2), "U": scaled(rng, inputs, width)}
    return params, regression(rng, batch, inputs, width)


def fpn(
    *,
    channels: int = 16,
    batch: int = 64,
    gamma: float = 0.8,
    image: int = 8,
    encoder: int = 2,
    seed: int | None = 0,
) -> Drawn:
    """JFB's fixed point network N(d) = S(u*), u* = R(u*, Q(d)), on digits of image × image pixels, cross-entropy loss.

    Q: ``encoder`` 3×3 convolutions with tanh between; R(u, q) = tanh(conv(u, W) + q) with circular convolution whose
    spectral norm is γ exactly (``circular_norm``), so that R is a γ-contraction in u; S linear. image 8: scikit-learn's
    digits, as they are. image 28: MNIST, after the first convolution max-pooled 3×3 to 9×9, as in the source; with
    channels=32 encoder=3 it has 53 856 parameters, the source's network 54 352.
    Source: Wu Fung et al., AAAI 2022, arXiv:2103.12803.
    """
    data = {8: datasets.digits, 28: datasets.mnist5k}
    if image not in data:
        raise ValueError(f"fpn: image must be 8 (digits) or 28 (MNIST), not {image}.")
    rng = generator(seed)
    images, labels = data[image](batch, rng)
    size = image // (image // 8)
    kernel = rng.normal(size=(3, 3, channels, channels))
    inner = range(2, encoder + 1)
    params = {
        "Q1": rng.normal(0, 1 / 3, (3, 3, 1, channels)),
        **{f"Q{k}": rng.normal(0, 1 / (3 * np.sqrt(channels)), (3, 3, channels, channels)) for k in inner},
        "R": gamma * kernel / circular_norm(kernel, size),
        "S": scaled(rng, size * size * channels, 10),
    }
    return params, {"x": images, "y": labels}


def circular_norm(kernel: Float[np.ndarray, "h w i o"], size: int) -> float:
    """Spectral norm of circular convolution on size × size images: the largest singular value over all frequencies.

    The Fourier transform turns it into one i × o matrix a frequency. Source: Sedghi, Gupta and Long, ICLR 2019.
    """
    return float(np.linalg.norm(np.fft.fft2(kernel, (size, size), axes=(0, 1)), 2, axis=(2, 3)).max())


def elghaoui(
    *,
    width: int = 64,
    inputs: int = 64,
    classes: int = 10,
    batch: int = 64,
    gamma: float = 0.8,
    seed: int | None = 0,
) -> Drawn:
    """Implicit deep learning: u = relu(u A + x B), logits u C + x D, cross-entropy loss; A = γ Q, Q orthogonal.

    The source calls A well-posed where the Perron–Frobenius eigenvalue of |A| is below 1, and trains with ‖A‖_∞ < 1.
    Here γ is the spectral norm, so that it means what it means in every problem: below 1, R is a contraction.
    Source: El Ghaoui, Gu, Travacca, Askari and Tsai, SIAM J. Math. Data Sci. 2021, arXiv:1908.06315.
    """
    rng = generator(seed)
    params = {
        "A": gamma * orthogonal(rng, width),
        "B": scaled(rng, inputs, width),
        "C": scaled(rng, width, classes),
        "D": scaled(rng, inputs, classes),
    }
    return params, {"x": rng.normal(size=(batch, inputs)), "y": rng.integers(0, classes, batch)}


def mon(
    *,
    width: int = 64,
    inputs: int = 64,
    classes: int = 10,
    batch: int = 64,
    m: float = 0.5,
    seed: int | None = 0,
) -> Drawn:
    """Monotone operator network: u* = relu(u* W + x U + b), W = (1 − m) I − AᵀA + B − Bᵀ, logits u* S, cross-entropy.

    I − W ⪰ m I for every A and B, so there is one u*; W itself is no contraction. A step is one of forward–backward
    splitting, relu(u − α (u (I − W) − q)), with the same fixed point for every α and a contraction for
    α < 2m/‖I − W‖₂². The loss takes α from a bound of that norm in each call and passes no gradient through it, so
    that training cannot make the steps diverge. B is drawn half as large as A: a larger skew part needs a smaller α,
    and with these 60 steps come within 1e-5 of u*. Source: Winston and Kolter, NeurIPS 2020, arXiv:2006.08591.
    """
    rng = generator(seed)
    params = {
        "A": scaled(rng, width, width) / 2,
        "B": scaled(rng, width, width) / 4,
        "U": scaled(rng, inputs, width),
        "b": np.zeros(width),
        "S": scaled(rng, width, classes),
    }
    data = {"x": rng.normal(size=(batch, inputs)), "y": rng.integers(0, classes, batch)}
    return params, {**data, "m": np.array(float(m))}


def averaged(*, width: int = 512, inputs: int = 64, batch: int = 64, seed: int | None = 0) -> Drawn:
    """The edge γ = 1: u = ½ u + ½ tanh(u W + x U), W orthogonal; loss ½‖u − y‖²/batch.

    R is averaged, hence nonexpansive, and no contraction by construction: ‖J‖₂ ≤ ½ (1 + max tanh') reaches 1 where a
    preactivation is 0. tanh shortens every difference, so there is at most one u*, and R maps the cube [−1, 1]ⁿ to
    itself, so there is one and Picard steps reach it (Krasnoselskii and Mann), at no rate known beforehand. There
    tanh' = 1 − u*², and ρ(J) < 1 but for a W that leaves some v in its place which is 0 wherever u* is not.
    """
    rng = generator(seed)
    params = {"W": orthogonal(rng, width), "U": scaled(rng, inputs, width)}
    return params, regression(rng, batch, inputs, width)


def _pooled(size: int) -> int:
    """The side of the images on which all but the first convolution of ``fpn`` act."""
    return size // (size // 8)


_DENSE = (Product("U", "first"), Product("W", "step"))

IMPLICIT = (
    Facts("linear", linear, "implicit", (Product("B", "first"), Product("A", "step"))),
    Facts("tanh", tanh, "implicit", _DENSE, instance="DEQ (S = identity)"),
    Facts("newton", newton, "implicit", _DENSE, solver="newton"),
    Facts(
        "fpn",
        fpn,
        "implicit",
        (
            Product("Q1", "first"),
            Product("Q*", "rest", side=_pooled),
            Product("S", "rest"),
            Product("R", "step", side=_pooled),
        ),
    ),
    Facts(
        "elghaoui",
        elghaoui,
        "implicit",
        (Product("B", "first"), Product("D", "first"), Product("C", "rest"), Product("A", "step")),
        kinked=True,
        instance="El Ghaoui (S linear)",
    ),
    Facts(
        "mon",
        mon,
        "implicit",
        (
            Product("U", "first"),
            Product("A", "first", squared=True),  # one product more differentiates it: A (G + Gᵀ)
            Product("S", "rest"),
            Product("A", "step"),  # V has its shape
            Product("A", "fixed", squared=True, times=3),  # they bound the norm of I − W
        ),
        kinked=True,
        instance="MON",
    ),
    Facts("averaged", averaged, "implicit", _DENSE, instance="averaged"),
)
