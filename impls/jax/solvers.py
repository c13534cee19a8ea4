"""Forward solvers: they find z with z = step(z), and know nothing of gradients.

A solver holds its numbers, such as ``Picard(steps=60)``. ``steps`` is K and counts every evaluation of step. A solver
makes K − 1 of them; the last belongs to the adjoint, which attaches it, so the value is step(z_{K−1}) for all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from impls.checks import require_same_state, require_steps
from impls.jax.anderson import Anderson
from impls.jax.jacobian import push_forward
from impls.jax.linear_solvers import Dense, LinearSolver
from impls.jax.norms import largest_ratio
from impls.jax.ops import as_state

State = Float[Array, "b *n"]


class Solution(NamedTuple):
    """What a solve found. steps: evaluations of step. residual: largest over samples of ‖step(z) − z‖/‖z‖ at the last
    z whose image is known. converged: the residual is finite, and within the tolerance where one was asked for."""

    value: State
    steps: Array
    residual: Float[Array, ""]
    converged: Array


class Solver(Protocol):
    """Maps step and a start to z_{K−1} and the number of evaluations spent on it."""

    @property
    def method(self) -> str: ...

    @property
    def tol(self) -> float: ...

    def __call__(self, f: Callable[[State], State], z0: State, *, unroll: bool = False) -> tuple[State, Any]: ...


def apply(f: Callable[..., State], z: State, *args: Any) -> State:
    """f(z, *args); ``ValueError`` where it is no state of the shape and dtype of z."""
    fz = f(z, *args)
    require_same_state(z, fz)
    return fz


def finish(z: State, fz: State, spent: Any, tol: float) -> Solution:
    """The Solution of a solve that ended at z, with its image fz = step(z) as value."""
    still, image = jax.lax.stop_gradient((z, fz))
    residual = largest_ratio(image - still, still)
    converged = residual <= tol if tol > 0 else jnp.isfinite(residual)
    return Solution(fz, jnp.asarray(spent + 1, jnp.float32), residual, converged)


def _iterate(update: Callable[[State], tuple[State, Array]], z0: State, steps: int, tol: float) -> tuple[State, Any]:
    """Apply ``update``, z ↦ (next z, residual of z), steps − 1 times, or until the residual is at most tol.

    A fixed number becomes a scan, which reverse mode can run through; a tolerance becomes a while loop.
    """
    if tol == 0:
        return jax.lax.scan(lambda z, _: (update(z)[0], None), z0, None, length=steps - 1)[0], steps - 1

    def going(state: tuple[State, Array, Array]) -> Array:
        _, residual, spent = state
        return (spent < steps - 1) & ~(residual <= tol)

    def body(state: tuple[State, Array, Array]) -> tuple[State, Array, Array]:
        z, residual = update(state[0])
        return z, residual, state[2] + 1

    z, _, spent = jax.lax.while_loop(going, body, (z0, jnp.asarray(jnp.inf, z0.dtype), jnp.asarray(0)))
    return z, spent


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

    def __call__(self, f: Callable[[State], State], z0: State, *, unroll: bool = False) -> tuple[State, Any]:
        z0 = as_state("Picard", z0)

        def update(z: State) -> tuple[State, Array]:
            fz = apply(f, z)
            return fz, largest_ratio(fz - z, z)

        return _iterate(update, z0, self.steps, self.tol)


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

    def __call__(self, f: Callable[[State], State], z0: State, *, unroll: bool = False) -> tuple[State, Any]:
        z0 = as_state("Newton", z0)

        def update(z: State) -> tuple[State, Array]:
            fz, push = push_forward(lambda z: apply(f, z), z, differentiable=unroll)
            delta = self.linear_solver(lambda v: v - push(v), fz - z).value
            return z + delta, largest_ratio(fz - z, z)

        return _iterate(update, z0, self.steps, self.tol)


SOLVERS: dict[str, type[Picard] | type[Newton] | type[Anderson]] = {
    "picard": Picard,
    "newton": Newton,
    "anderson": Anderson,
}
