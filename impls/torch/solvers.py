"""Forward solvers: they find z with z = step(z), and know nothing of gradients.

A solver holds its numbers, such as ``Picard(steps=60)``. ``steps`` is K and counts every evaluation of step. A solver
makes K − 1 of them; the last belongs to the adjoint, which attaches it, so the value is step(z_{K−1}) for all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, NamedTuple, Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from impls.checks import require_same_state, require_steps
from impls.torch.anderson import Anderson
from impls.torch.jacobian import push_forward
from impls.torch.linear_solvers import Dense, LinearSolver
from impls.torch.norms import largest_ratio
from impls.torch.ops import as_state

State = Float[Tensor, "b *n"]


class Solution(NamedTuple):
    """What a solve found. steps: evaluations of step. residual: largest over samples of ‖step(z) − z‖/‖z‖ at the last
    z whose image is known. converged: the residual is finite, and within the tolerance where one was asked for."""

    value: State
    steps: Tensor
    residual: Float[Tensor, ""]
    converged: Tensor


class Solver(Protocol):
    """Maps step and a start to z_{K−1} and the number of evaluations spent on it."""

    @property
    def method(self) -> str: ...

    @property
    def tol(self) -> float: ...

    def __call__(self, f: Callable[[State], State], z0: State, *, unroll: bool = False) -> tuple[State, int]: ...


def apply(f: Callable[..., State], z: State, *args: Any) -> State:
    """f(z, *args); ``ValueError`` where it is no state of the shape and dtype of z."""
    fz = f(z, *args)
    require_same_state(z, fz)
    return fz


def finish(z: State, fz: State, spent: int, tol: float) -> Solution:
    """The Solution of a solve that ended at z, with its image fz = step(z) as value.

    The value is a view: a loss that differentiates in it, such as a penalty on ∂L/∂z, meets no hook of an adjoint.
    """
    residual = largest_ratio(fz.detach() - z.detach(), z.detach(), spare=True)
    converged = residual <= tol if tol > 0 else torch.isfinite(residual)
    return Solution(fz.view_as(fz), torch.tensor(float(spent + 1)), residual, converged)


@dataclass(frozen=True)
class Picard:
    """z ← step(z). Cost: K evaluations of step. Memory: one state.

    tol: stop once ‖step(z) − z‖/‖z‖ ≤ tol; 0 never stops early.
    """

    steps: int = 60
    tol: float = 0.0
    method: ClassVar[str] = "picard"

    def __post_init__(self) -> None:
        require_steps("Picard", self.steps, self.tol)

    def __call__(self, f: Callable[[State], State], z0: State, *, unroll: bool = False) -> tuple[State, int]:
        z = as_state("Picard", z0)
        for spent in range(1, self.steps):
            last, z = z, f(z)
            if spent == 1:  # once: looking at shapes takes a tenth of a small step
                require_same_state(last, z)
            if self.tol > 0 and largest_ratio(z - last, last) <= self.tol:
                return z, spent
        return z, self.steps - 1


@dataclass(frozen=True)
class Newton:
    """z ← z + (I − J(z))⁻¹ (step(z) − z), J = ∂step/∂z. Cost: K evaluations and K − 1 linear solves. Memory: the linear
    solver's. ``unroll`` keeps the linear solves differentiable."""

    steps: int = 6
    tol: float = 0.0
    linear_solver: LinearSolver = field(default_factory=Dense)
    method: ClassVar[str] = "newton"

    def __post_init__(self) -> None:
        require_steps("Newton", self.steps, self.tol)

    def __call__(self, f: Callable[[State], State], z0: State, *, unroll: bool = False) -> tuple[State, int]:
        z = as_state("Newton", z0)
        for spent in range(1, self.steps):
            fz, push = push_forward(lambda z: apply(f, z), z, differentiable=unroll)
            delta = self.linear_solver(partial(_minus, push), fz - z).value
            last, z = z, z + delta
            if self.tol > 0 and largest_ratio(fz - last, last) <= self.tol:
                return z, spent
        return z, self.steps - 1


def _minus(push: Callable[[State], State], v: State) -> State:
    return v - push(v)


SOLVERS: dict[str, type[Picard] | type[Newton] | type[Anderson]] = {
    "picard": Picard,
    "newton": Newton,
    "anderson": Anderson,
}
