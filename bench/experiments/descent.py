"""When is the JFB direction one of descent? Theorem 0.2 of the JFB paper on affine maps, and new networks beside them.

Affine parts give ``cosine``, between JFB and the true gradient at a gaussian g, and ``worst``, over all g; ``covered``
is the theorem's condition, ``sharp`` the exact one. Model parts give the cosine over all of a network's parameters, by
the closed forms in float64.

JFB against the gradient where both are known exactly: a contraction that is affine in its state and parameters.

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
from typing import Any

import numpy as np

from bench.experiments.catalog import Experiment, Place, Record
from bench.instruments.accuracy import cosine
from bench.plan import Part

STATES = 16

PARAMETERS = (8, 24)
"""Fewer than states, where the theorem cannot hold, and more."""

GAMMAS = (0.1, 0.3, 0.5, 0.7, 0.9, 0.99)

KAPPAS = (1.0, 1.1, 2.0, 10.0, 100.0, 1e4)

DRAWS = {"smoke": 1, "quick": 20, "paper": 20}

MODELS: dict[str, dict[str, Any]] = {
    "tanh": {"width": 32, "inputs": 16, "batch": 8},
    "fpn": {"channels": 4, "batch": 2},
    "mon": {"width": 32, "inputs": 16, "batch": 8},
}
"""Small, since the closed forms iterate in float64; mon has no γ."""

SEEDS = {"smoke": 1, "quick": 30, "paper": 30}

STEPS = 200
"""Evaluations of step that bring JFB to the fixed point of the largest γ."""

KINDS = ("orthogonal", "symmetric", "dense", "adversarial")


class Descent(Experiment):
    """See above."""

    def parts(self, size: str, data: bool) -> list[Part]:
        """One a kind of affine map, and one a network and γ."""
        affine = [{"what": "affine", "kind": kind, "draws": DRAWS[size]} for kind in KINDS]
        networks: list[dict[str, Any]] = []
        for problem in MODELS:
            gammas: tuple[float, ...] = () if problem == "mon" else GAMMAS[::4] if size == "smoke" else GAMMAS
            known = [{"gamma": gamma} for gamma in gammas] or [{}]
            networks += [{"what": "model", "problem": problem, "seeds": SEEDS[size], **one} for one in known]
        return [Part("descent", "numpy", settings, dtype="float64") for settings in affine + networks]

    def perform(self, part: Part, place: Place) -> list[Record]:
        """Records of one part, to four digits."""
        settings: dict[str, Any] = dict(part.settings)
        what = settings.pop("what")
        found = _affine(**settings) if what == "affine" else _network(**settings)
        return [{name: _short(value) for name, value in record.items()} for record in found]

    def memory_bytes(self, size: str) -> int:
        """Small arrays, and the interpreter with numpy."""
        return 200_000_000


def _affine(kind: str, draws: int) -> list[Record]:
    """γ × κ × number of parameters × draws; an adversary is made rather than drawn, so one of each is enough."""
    made = kind == "adversarial"
    found: list[Record] = []
    for gamma, kappa, parameters, index in (
        (gamma, kappa, parameters, index)
        for gamma in GAMMAS
        for kappa in KAPPAS
        for parameters in (PARAMETERS[1:] if made else PARAMETERS)
        for index in range(1 if made else draws)
    ):
        one = draw(gamma, kappa, kind, STATES, parameters, np.random.default_rng([index, parameters]))
        found.append(
            {
                **{"gamma": gamma, "kappa": kappa, "parameters": parameters, "states": STATES, "draw": index},
                "cosine": cosine(one.jfb(), one.gradient()),
                "worst": one.worst(),
                "jacobian_norm": gamma * float(np.linalg.norm(one.Q, 2)),
                "covered": int(covered(gamma, kappa, STATES, parameters)),
                "sharp": int(parameters >= STATES and kappa <= sharp_bound(gamma)),
            }
        )
    return found


def _network(problem: str, seeds: int, **sizes: Any) -> list[Record]:
    """The cosine at the fixed point of a network as initialised, over seeds."""
    from bench.instruments import contraction
    from impls import oracles, problems

    found: list[Record] = []
    for seed in range(seeds):
        one = problems.make(problem, seed=seed, **MODELS[problem], **sizes)
        truth = oracles.flat(oracles.reference(one))
        jfb = oracles.flat(oracles.gradient(one, "jfb", K=STEPS))
        contracted = contraction.of(one)
        norm = {} if contracted is None else {"jacobian_norm": contracted.norm}
        found.append({"seed": seed, "cosine": cosine(jfb, truth), **norm})
    return found


def _short(value: float) -> float:
    return float(f"{value:.4g}") if isinstance(value, float) else value


# Affine contractions ----------------------------------------------------------------------------------------------


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
