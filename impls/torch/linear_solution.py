"""What a linear solver takes and gives: A x = b for A = I − J or its transpose, samples (axis 0) independent.

Each returns a ``LinearSolution``. A solver that was given a tolerance and misses it says so in ``converged``;
``solve`` turns that into NaN, so that no wrong gradient passes for a right one and no host has to look.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from impls.torch.norms import largest_ratio

State = Float[Tensor, "b *n"]
LinearMap = Callable[[State], State]
"""v ↦ A v; where v requires a gradient A v is recorded, so that a solver can transpose A."""


class LinearSolution(NamedTuple):
    """value: x. steps: as each solver counts them. residual: largest over samples of ‖b − A x‖/‖b‖, of the last x for
    which it is known without another product. converged: within the tolerance, where there is one, and finite."""

    value: State
    steps: Tensor
    residual: Float[Tensor, ""]
    converged: Tensor


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


def solution(x: State, steps: int, r: Tensor, b: State, tol: float) -> LinearSolution:
    """The LinearSolution of a solve that took ``steps`` and ended at x with the residual vectors r."""
    residual = largest_ratio(r.detach(), b.detach())
    converged = residual <= tol if tol > 0 else torch.isfinite(residual)
    return LinearSolution(x, torch.tensor(float(steps)), residual, converged)
