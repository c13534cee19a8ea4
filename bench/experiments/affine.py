"""JFB against the gradient where both are known exactly: a contraction that is affine in its state and parameters.

    T(u; θ) = γ Q u + B θ + d,  ‖Q‖₂ = 1,  J = I − γ Q,  g = ∂ℓ/∂u*:   ∇ = Bᵀ J⁻ᵀ g,   JFB = Bᵀ g

Theorem 0.2 of the JFB paper says that −JFB descends where κ(MᵀM) ≤ 1/γ and M has full column rank. Its proof needs
M⁺ M = I on the states, so M is Bᵀ, with at least as many parameters as states, and MᵀM is S = B Bᵀ. Then with
w = J⁻ᵀ g

    ⟨JFB, ∇⟩ = wᵀ S w − γ wᵀ Q S w ≥ λ_min ‖w‖² − γ λ_max ‖w‖² ≥ 0.

The last steps waste something: over all Q and w the least value is wᵀ S w − γ ‖w‖ ‖S w‖, and the cosine of w and S w is
at least 2 √κ/(κ + 1) (Kantorovich 1948), a value that it takes. So −JFB descends for every Q and g exactly where
κ ≤ ((1 + √(1 − γ²))/γ)², which ``sharp_bound`` gives. With fewer parameters than states no κ suffices.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

KINDS = ("orthogonal", "symmetric", "dense", "adversarial")


@dataclass(frozen=True)
class Affine:
    """One draw. Q: (n, n). B: (n, p). g: (n,)."""

    gamma: float
    Q: np.ndarray
    B: np.ndarray
    g: np.ndarray

    def gradient(self) -> np.ndarray:
        """∇ = Bᵀ J⁻ᵀ g."""
        return self.B.T @ np.linalg.solve((np.eye(len(self.g)) - self.gamma * self.Q).T, self.g)

    def jfb(self) -> np.ndarray:
        """Bᵀ g."""
        return self.B.T @ self.g

    def worst(self) -> float:
        """The least of ⟨JFB, ∇⟩/‖g‖² over every g, over ‖H‖₂ for scale: the least eigenvalue of the symmetric part of
        H = B Bᵀ J⁻ᵀ. Negative where some g makes JFB a direction of ascent."""
        H = self.B @ self.B.T @ np.linalg.inv(np.eye(len(self.g)) - self.gamma * self.Q).T
        return float(np.linalg.eigvalsh((H + H.T) / 2)[0] / np.linalg.norm(H, 2))


def covered(gamma: float, kappa: float, states: int, parameters: int) -> bool:
    """The theorem's condition."""
    return parameters >= states and gamma * kappa <= 1


def sharp_bound(gamma: float) -> float:
    """The largest κ(B Bᵀ) at which −JFB descends for every Q with ‖Q‖₂ ≤ 1 and every g."""
    return ((1 + sqrt(1 - gamma**2)) / gamma) ** 2


def draw(gamma: float, kappa: float, kind: str, states: int, parameters: int, rng: np.random.Generator) -> Affine:
    """A random one with κ exact: B has singular values evenly spaced on a log scale between random singular vectors.

    adversarial: Q and g are made from B so that ⟨JFB, ∇⟩ is least, which needs as many parameters as states.
    """
    rank = min(states, parameters)
    left, right = orthogonal(rng, states)[:, :rank], orthogonal(rng, parameters)[:, :rank]
    B = (left * np.geomspace(1, 1 / sqrt(kappa), rank)) @ right.T
    if kind == "adversarial":
        Q, w = _adversary(left, kappa)
        return Affine(gamma, Q, B, (np.eye(states) - gamma * Q).T @ w)
    return Affine(gamma, _contraction(kind, states, rng), B, rng.normal(size=states))


def orthogonal(rng: np.random.Generator, n: int) -> np.ndarray:
    """A random orthogonal matrix."""
    return np.linalg.qr(rng.normal(size=(n, n)))[0]


def _contraction(kind: str, n: int, rng: np.random.Generator) -> np.ndarray:
    """Q with ‖Q‖₂ = 1: orthogonal, symmetric with eigenvalues ±1, or a gaussian scaled."""
    if kind == "orthogonal":
        return orthogonal(rng, n)
    if kind == "symmetric":
        vectors = orthogonal(rng, n)
        return (vectors * rng.choice([-1.0, 1.0], n)) @ vectors.T
    mixed = rng.normal(size=(n, n))
    return mixed / np.linalg.norm(mixed, 2)


def _adversary(left: np.ndarray, kappa: float) -> tuple[np.ndarray, np.ndarray]:
    """The w whose angle to S w is largest, and the reflection Q that turns S w back onto w.

    left: the eigenvectors of S, that of the largest eigenvalue (1) first and that of the least (1/κ) last.
    """
    w = left[:, 0] + sqrt(kappa) * left[:, -1]
    image = left[:, 0] + left[:, -1] / sqrt(kappa)
    normal = image / np.linalg.norm(image) - w / np.linalg.norm(w)
    length = float(normal @ normal)
    turned = 2 * np.outer(normal, normal) / length if length > 1e-24 else 0.0
    return np.eye(len(w)) - turned, w
