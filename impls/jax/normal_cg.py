"""Conjugate gradients on the normal equations, lean and as published with JFB: the same iterates at three prices.

    AᵀA x = Aᵀ b,   p ← s + β p,  x ← x + α p,  α = ‖s‖²/‖A p‖²,  β = ‖s‖²/‖s before‖²,  s = Aᵀ (b − A x)

Every sample has its own α and β; one that is solved has α = 0 and stays where it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from impls.checks import require_applications, require_steps
from impls.jax.linear_solution import LinearMap, LinearSolution, State, solution
from impls.jax.norms import dots, largest_ratio, sizes
from impls.jax.ops import as_state

Iterate = tuple[State, ...]
"""x, b − A x, and what else an iteration needs of the one before."""


@dataclass(frozen=True)
class NormalCG:
    """x in the span of c, B c, …, B^{M−1} c with the least ‖b − A x‖, B = AᵀA and c = Aᵀ b; exact after n steps, but
    its rate is that of the squared condition number.

    Cost with applications=1: M products with A and M with Aᵀ. applications=3 is the baseline of the JFB paper's
    released code, which applies all of B three times a step: to p for α, to α p for s, and to x for the residual that
    decides when to stop. Cost: 3 M products with each and one more with Aᵀ. With a tolerance one more with A, of the x
    that is returned. Memory: 4 states. tol: as in Picard, looked at before each step.
    Source: Hestenes and Stiefel 1952; Wu Fung et al. 2022.
    """

    steps: int = 20
    tol: float = 0.0
    applications: int = 1
    differentiable = False

    def __post_init__(self) -> None:
        require_steps("NormalCG", self.steps, self.tol)
        require_applications("NormalCG", self.applications)

    def __call__(self, A: LinearMap, b: State) -> LinearSolution:
        b = as_state("NormalCG", b)
        size = sizes(b)
        unit = b / size  # the squares of a small cotangent would underflow, those of a large one overflow
        at, update = (_published if self.applications == 3 else _lean)(A, transposed(A, unit), unit)
        if self.tol == 0:
            at = jax.lax.fori_loop(0, self.steps, lambda _, at: update(at), at)
            return solution(size * at[0], self.steps, self.tol, A, b)

        def going(state: tuple[Iterate, Any]) -> Array:
            return (state[1] < self.steps) & ~(largest_ratio(state[0][1], unit) <= self.tol)

        at, step = jax.lax.while_loop(going, lambda s: (update(s[0]), s[1] + 1), (at, jnp.asarray(0)))
        return solution(size * at[0], step, self.tol, A, b)


@dataclass(frozen=True)
class PublishedNormalCG(NormalCG):
    """``NormalCG`` with three applications a step."""

    applications: int = 3


def transposed(A: LinearMap, like: State) -> LinearMap:
    """v ↦ Aᵀ v."""
    transpose = jax.linear_transpose(A, like)
    return lambda v: transpose(v)[0]


def _lean(A: LinearMap, transpose: LinearMap, b: State) -> tuple[Iterate, Callable[[Iterate], Iterate]]:
    """b − A x follows from A p, and s from it: one product with A and one with Aᵀ."""

    def update(at: Iterate) -> Iterate:
        x, r, p, before = at
        s = transpose(r)
        now = dots(s, s)
        p = s + _quotient(now, before) * p
        q = A(p)
        alpha = _quotient(now, dots(q, q)) * (dots(r, r) > floor)
        return x + alpha * p, r - alpha * q, p, now

    zero = jnp.zeros_like(b)
    floor = jnp.finfo(b.dtype).eps ** 2 * dots(b, b)  # below it r follows x no longer
    return (zero, b, zero, dots(zero, zero)), update


def _published(A: LinearMap, transpose: LinearMap, b: State) -> tuple[Iterate, Callable[[Iterate], Iterate]]:
    """B p, B (α p) and B x: three vectors, so that no compiler takes two of them for one. left: ‖Aᵀ (b − A x)‖² from x
    itself."""

    def update(at: Iterate) -> Iterate:
        x, _, p, before, s, left = at
        now = dots(s, s)
        p = s + _quotient(now, before) * p
        alpha = _quotient(now, dots(p, transpose(A(p)))) * (left > 0)
        x = x + alpha * p
        s = s - transpose(A(alpha * p))
        r = b - A(x)
        normal = transpose(r)
        return x, r, p, now, s, dots(normal, normal)

    zero, s = jnp.zeros_like(b), transpose(b)
    return (zero, b, zero, dots(zero, zero), s, dots(s, s)), update


def _quotient(x: Array, y: Array) -> Array:
    """x/y; 0 where y is 0, at the start and after a breakdown."""
    return jnp.where(y > 0, x / y, 0)
