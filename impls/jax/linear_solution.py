"""What a linear solver takes and gives: A x = b for A = I − J or its transpose, samples (axis 0) independent.

Each returns a ``LinearSolution``. A solver that was given a tolerance and misses it says so in ``converged``;
``solve`` turns that into NaN, so that no wrong gradient passes for a right one and no host has to look.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, Protocol

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from impls.jax.norms import largest_ratio

State = Float[Array, "b *n"]
LinearMap = Callable[[State], State]
"""v ↦ A v, traceable and transposable."""


class LinearSolution:
    """value: x. steps: as each solver counts them. residual: largest over samples of ‖b − A x‖/‖b‖, of x itself.
    converged: the residual is within the tolerance, where there is one, and finite.

    Where a solver has not b − A x at hand, the first to read one of the last two pays for a product with A; a solve
    without a tolerance costs no more than its value.
    """

    def __init__(self, value: State, steps: Array, tol: float, look: Callable[[], Float[Array, ""]]) -> None:
        self.value, self.steps = value, steps
        self._tol, self._look = tol, look

    @cached_property
    def residual(self) -> Float[Array, ""]:
        return self._look()

    @cached_property
    def converged(self) -> Array:
        return self.residual <= self._tol if self._tol > 0 else jnp.isfinite(self.residual)


def _told(found: LinearSolution) -> tuple[tuple[Array, ...], None]:
    return (found.value, found.steps, found.residual, found.converged), None


def _again(_: None, told: tuple[Array, ...]) -> LinearSolution:
    found = object.__new__(LinearSolution)
    found.value, found.steps, found.residual, found.converged = told
    return found


jax.tree_util.register_pytree_node(LinearSolution, _told, _again)


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


def solution(x: State, steps: Any, tol: float, A: LinearMap, b: State, r: State | None = None) -> LinearSolution:
    """The LinearSolution of a solve that took ``steps`` and ended at x. r: b − A x, where it is known."""

    def look() -> Array:
        left = b - A(jax.lax.stop_gradient(x)) if r is None else r
        return largest_ratio(*jax.lax.stop_gradient((left, b)))

    return LinearSolution(x, jnp.asarray(steps, jnp.float32), tol, look)
