"""How many steps are enough: the least K and M that bring the solves of an implicit problem to one residual.

Found in float64 by the definitions of the solvers, so that they are the same for every framework and process. Residuals
are the largest over samples: ‖R(z) − z‖/‖z‖ of the forward solve, ‖b − A x‖/‖b‖ of a backward one, A = I − Jᵀ, b = g.
GMRES and conjugate gradients on the normal equations both take the x of least residual from a space that grows by one
direction a step, so one loop serves them: images of the directions are made orthonormal, and taken out of the residual.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from bench.instruments.accuracy import largest_ratio

LinearMap = Callable[[np.ndarray], np.ndarray]

COMPLEX_STEP = 1e-30
"""Im R(z + i h v)/h is J v to rounding for any small h: nothing is subtracted."""


class Enough(NamedTuple):
    """steps: K or M. residual: the one they reach."""

    steps: int
    residual: float


class Counter:
    """The solves of one implicit problem of ``impls.problems``, in numpy.

    forward: K and its residual. ``ValueError`` for a solve that does not reach ``tol`` in ``most`` steps.
    """

    def __init__(self, problem: Any, tol: float, most: int) -> None:
        from impls import oracles

        self._tol, self._most = tol, most
        model = oracles.MODELS[problem.name](problem)
        z, residual, steps = model.z0, np.inf, 0
        while not residual <= tol:
            self._refuse("The forward solve", steps, residual)
            last, z, steps = z, model.step(z)[0], steps + 1
            residual = largest_ratio(z - last, last)
        self.forward = Enough(steps, residual)
        _, pull = model.step(last)  # where the framework's adjoints linearise
        self._b = model.loss(z)[1]
        self._A: LinearMap = lambda v: v - pull(v)[0]
        self._At: LinearMap = lambda v: v - model.step(last + 1j * COMPLEX_STEP * v)[0].imag / COMPLEX_STEP

    def backward(self, solver: str) -> Enough:
        """Of picard, gmres, normal_cg or normal_cg_published, which makes the same iterates as normal_cg."""
        r, steps, residual = self._b, 0, 1.0
        images: list[np.ndarray] = []
        while not residual <= self._tol:
            self._refuse(solver, steps, residual)
            if solver == "picard":  # x_M = Σ_{m<M} (Jᵀ)ᵐ b leaves (Jᵀ)ᴹ b
                r = r - self._A(r)
            else:
                direction = (images or [self._b])[-1] if solver == "gmres" else self._At(r)
                images.append(orthonormal(self._A(direction), images))
                r = r - dots(images[-1], r) * images[-1]
            steps, residual = steps + 1, largest_ratio(r, self._b)
        return Enough(steps, residual)

    def _refuse(self, what: str, steps: int, residual: float) -> None:
        if steps >= self._most:
            raise ValueError(
                f"{what} ends at the residual {residual:.2g} after {steps} steps, not at {self._tol:g}: "
                "take a smaller gamma."
            )


def orthonormal(v: np.ndarray, basis: list[np.ndarray]) -> np.ndarray:
    """v of each sample, scaled to length 1 after its part in the span of an orthonormal basis is taken out, twice."""
    for _ in range(2):
        for one in basis:
            v = v - dots(one, v) * one
    return v / np.maximum(np.sqrt(dots(v, v)), 1e-300)


def dots(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Inner product of each sample, to be multiplied with arrays of the same shape."""
    return (u * v).sum(axis=tuple(range(1, u.ndim)), keepdims=True)
