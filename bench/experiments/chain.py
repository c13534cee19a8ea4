"""The norm of ∂z_K/∂z_0, which is what a gradient through K steps is made of: it vanishes or explodes.

For z_{k+1} = F(z_k) it is ‖F'(z_{K−1}) ⋯ F'(z_0)‖₂. Picard's F is the step itself: a contraction forgets its start as
γ^K, a linear map with a spectral radius above one explodes, and one that is not normal may grow first and then forget.
Newton's F = z + (I − J(z))⁻¹ (R(z) − z) has derivative 0 at the fixed point, so its norm falls faster than any γ^K. In
float64 numpy, one sample.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.cells import Value
from bench.experiments.catalog import Experiment, Place, Record, holding
from bench.instruments.contraction import derivative
from bench.plan import Part

if TYPE_CHECKING:
    from impls.oracles import Implicit

Map = Callable[[np.ndarray], np.ndarray]
WIDTH = 8
STEPS = {"smoke": 5, "quick": 60, "paper": 60}
PICARD: tuple[tuple[str, dict[str, Value]], ...] = (
    ("tanh", {"gamma": 0.5}),
    ("tanh", {"gamma": 0.9}),
    ("tanh", {"gamma": 1.1}),
    ("linear", {"gamma": 0.9}),
    ("linear", {"gamma": 1.3}),
    ("linear", {"gamma": 2.0}),
    ("averaged", {}),
)
NEWTON: tuple[tuple[str, dict[str, Value]], ...] = (
    ("tanh", {"gamma": 0.5}),
    ("tanh", {"gamma": 0.9}),
    ("newton", {"gamma": 0.9}),
)


class Chain(Experiment):
    """See above; there is nothing to time, so there are no cells."""

    def parts(self, size: str, data: bool) -> list[Part]:
        """One part a chain."""
        chains = [("picard", *one) for one in PICARD] + [("newton", *one) for one in NEWTON]
        return [
            Part("chain", "numpy", {"solver": solver, "problem": problem, "K": STEPS[size], **sizes})
            for solver, problem, sizes in chains
        ]

    def perform(self, part: Part, place: Place) -> list[Record]:
        """One record a K: the norm of ∂z_K/∂z_0."""
        from impls import oracles, problems

        named = dict(part.settings)
        solver, name, most = str(named.pop("solver")), str(named.pop("problem")), int(named.pop("K"))
        sizes: dict[str, Any] = named
        problem = problems.make(name, width=WIDTH, inputs=WIDTH, batch=1, **sizes)
        model = oracles.MODELS[name](problem)
        norms = chain(SOLVERS[solver](model), model.z0, most)
        about = {"solver": solver, "problem": name, "gamma": named.get("gamma", problem.sizes.get("gamma"))}
        return [{**about, "K": K, "norm": norm} for K, norm in enumerate(norms, 1)]

    def memory_bytes(self, size: str) -> int:
        """Matrices of 8 × 8."""
        return holding()


def chain(F: Map, z: np.ndarray, most: int) -> list[float]:
    """‖∂z_K/∂z_0‖₂ for K = 1, …, most; F maps (1, n) to (1, n), complex numbers too."""
    product, norms = np.eye(z.size), []
    for _ in range(most):
        product = matrix(F, z) @ product
        norms.append(float(np.linalg.norm(product, 2)))
        z = F(z)
    return norms


def matrix(F: Map, z: np.ndarray) -> np.ndarray:
    """The n × n matrix F'(z), a column an input."""
    push = derivative(F, z)
    return np.stack([push(e[None])[0] for e in np.eye(z.size)], axis=1)


def _picard(model: Implicit) -> Map:
    return lambda z: model.step(z)[0]


def _newton(model: Implicit) -> Map:
    """z + (I − J)⁻¹ (R(z) − z); J's rows are the transpose applied to each e_i, J e for complex z as for real."""

    def F(z: np.ndarray) -> np.ndarray:
        fz, pull = model.step(z)
        J = np.concatenate([pull(e[None])[0] for e in np.eye(z.size)])
        return z + np.linalg.solve(np.eye(z.size) - J, (fz - z)[0])[None]

    return F


SOLVERS: dict[str, Callable[[Any], Map]] = {"picard": _picard, "newton": _newton}
