"""What a linear solver takes and gives: A x = b for A = I − J or its transpose, samples (axis 0) independent.

Each returns a ``LinearSolution``. A solver that was given a tolerance and misses it says so in ``converged``;
``solve`` turns that into NaN, so that no wrong gradient passes for a right one and no host has to look.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from impls.jax.norms import largest_ratio

State = Float[Array, "b *n"]
LinearMap = Callable[[State], State]
"""v ↦ A v, traceable and transposable."""


class LinearSolution(NamedTuple):
    """value: x. steps: as each solver counts them. residual: largest over samples of ‖b − A x‖/‖b‖, of the last x for
    which it is known without another product. converged: within the tolerance, where there is one, and finite."""

    value: State
    steps: Array
    residual: Float[Array, ""]
    converged: Array


class LinearSolver(Protocol):
    """Solves A x = b. differentiable: reverse mode can run through it, as unrolled Newton needs."""

    @property
    def differentiable(self) -> bool: ...

    @property
    def tol(self) -> float: ...

    def __call__(self, A: LinearMap, b: State) -> LinearSolution: ...


def solve(linear_solver: LinearSolver, A: LinearMap, b: State) -> State:
    """The solution, or NaN throughout where the solver missed its tolerance."""
    found = linear_solver(A, b)
    return jnp.where(found.converged, found.value, jnp.nan) if linear_solver.tol > 0 else found.value


def solution(x: State, steps: Any, r: Array, b: State, tol: float) -> LinearSolution:
    """The LinearSolution of a solve that took ``steps`` and ended at x with the residual vectors r."""
    r, b = jax.lax.stop_gradient((r, b))
    residual = largest_ratio(r, b)
    converged = residual <= tol if tol > 0 else jnp.isfinite(residual)
    return LinearSolution(x, jnp.asarray(steps, jnp.float32), residual, converged)
