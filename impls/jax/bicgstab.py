"""Stabilised biconjugate gradients: Krylov's space of A without a stored basis and without Aᵀ.

    x ← x + α p,        s = r − α A p,     α = (b·r)/(b·A p)
    x ← x + ω s,        r ← s − ω A s,     ω = (s·A s)/‖A s‖²
    p ← r + β (p − ω A p),                 β = (b·r)/(b·r before) α/ω

from x = 0 and r = p = b, which is also the shadow that the residuals are tested against. Every sample has its own α, ω
and β. A quotient that is no finite number counts as 0, so that half of a step is left out where it breaks down, and a
sample that is solved to rounding takes no further step.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from impls.checks import require_steps
from impls.jax.linear_solution import LinearMap, LinearSolution, State, solution
from impls.jax.norms import dots, largest_ratio, sizes
from impls.jax.ops import as_state

Iterate = tuple[State, State, State, Array]
"""x, r = b − A x, p and b·r."""


@dataclass(frozen=True)
class BiCGStab:
    """x in the span of b, A b, …, A^{2M−1} b; exact after n steps, but no step makes the residual less for certain.

    Cost: 2 M products, and one more with a tolerance. Memory: 7 states, whatever M. tol: as in Picard, looked at before
    each step.
    Source: van der Vorst 1992.
    """

    steps: int = 10
    tol: float = 0.0
    differentiable = False

    def __post_init__(self) -> None:
        require_steps("BiCGStab", self.steps, self.tol)

    def __call__(self, A: LinearMap, b: State) -> LinearSolution:
        b = as_state("BiCGStab", b)
        size = sizes(b)
        unit = b / size  # the squares of a small cotangent would underflow, those of a large one overflow
        at: Iterate = (jnp.zeros_like(b), unit, unit, dots(unit, unit))
        floor = jnp.finfo(b.dtype).eps ** 2 * at[3]  # below it r follows x no longer
        update = partial(_update, A, unit, floor)
        if self.tol == 0:
            at = jax.lax.fori_loop(0, self.steps, lambda _, at: update(at), at)
            return solution(size * at[0], self.steps, self.tol, A, b)

        def going(state: tuple[Iterate, Any]) -> Array:
            return (state[1] < self.steps) & ~(largest_ratio(state[0][1], unit) <= self.tol)

        at, step = jax.lax.while_loop(going, lambda s: (update(s[0]), s[1] + 1), (at, jnp.asarray(0)))
        return solution(size * at[0], step, self.tol, A, b)  # r may have parted from b − A x


def _update(A: LinearMap, b: State, floor: Array, at: Iterate) -> Iterate:
    x, r, p, before = at
    going = dots(r, r) > floor
    v = A(p)
    alpha = _quotient(going, before, dots(b, v))
    s = r - alpha * v
    t = A(s)
    omega = _quotient(going, dots(s, t), dots(t, t))
    x = x + alpha * p + omega * s
    r = s - omega * t
    now = dots(b, r)
    beta = _quotient(going, now, before) * _quotient(going, alpha, omega)
    return x, r, r + beta * (p - omega * v), now


def _quotient(going: Array, x: Array, y: Array) -> Array:
    """x/y; 0 after the end, and in a breakdown, where y is 0."""
    found = x / y
    return jnp.where(going & jnp.isfinite(found), found, 0)
