"""Further instances of N(d) = S(u*), u* = R(u*, Q(d)), the network of the JFB paper (arXiv:2103.12803)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from impls.problems.draws import Drawn, generator, orthogonal, regression, scaled


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


NETWORKS: Mapping[str, Callable[..., Drawn]] = {"elghaoui": elghaoui, "mon": mon, "averaged": averaged}
