"""What a linear solver takes and gives: A x = b for A = I − J or its transpose, samples (axis 0) independent.

Each returns a ``LinearSolution``. A solver that was given a tolerance and misses it says so in ``converged``;
``solve`` turns that into NaN, so that no wrong gradient passes for a right one and no host has to look.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from impls.torch.norms import largest_ratio

State = Float[Tensor, "b *n"]
LinearMap = Callable[[State], State]
"""v ↦ A v; where v requires a gradient A v is recorded, so that a solver can transpose A."""


class LinearSolution:
    """value: x. steps: as each solver counts them. residual: largest over samples of ‖b − A x‖/‖b‖, of x itself.
    converged: the residual is within the tolerance, where there is one, and finite.

    Where a solver has not b − A x at hand, the first to read one of the last two pays for a product with A; a solve
    without a tolerance costs no more than its value.
    """

    def __init__(self, value: State, steps: Tensor, tol: float, look: Callable[[], Float[Tensor, ""]]) -> None:
        self.value, self.steps = value, steps
        self._tol, self._look = tol, look

    @cached_property
    def residual(self) -> Float[Tensor, ""]:
        return self._look()

    @cached_property
    def converged(self) -> Tensor:
        return self.residual <= self._tol if self._tol > 0 else torch.isfinite(self.residual)


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
    return torch.where(found.converged, found.value, torch.nan) if linear_solver.tol > 0 else found.value


def solution(x: State, steps: int, tol: float, A: LinearMap, b: State, r: State | None = None) -> LinearSolution:
    """The LinearSolution of a solve that took ``steps`` and ended at x. r: b − A x, where it is known."""

    def look() -> Tensor:
        left = (b - A(x.detach()) if r is None else r).detach()
        return largest_ratio(left, b.detach())

    return LinearSolution(x, torch.tensor(float(steps)), tol, look)
