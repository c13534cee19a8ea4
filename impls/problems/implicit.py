"""Problems whose loss is taken at a fixed point z* = R(z*).

States are rows: z is (batch, width), and a weight acts from the right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Float

from impls import datasets
from impls.names import pick
from impls.problems.draws import Drawn, generator, orthogonal, regression, scaled


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


IMPLICIT: Mapping[str, Callable[..., Drawn]] = {
    "linear": linear,
    "tanh": tanh,
    "newton": newton,
    "fpn": fpn,
}
