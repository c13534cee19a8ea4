"""The implicit function theorem with the factors that Newton's last step leaves behind.

    dL/dθ ≈ gᵀ (I − J)⁻¹ ∂R/∂θ|_{z_{K−1}},   J = ∂R/∂z|_{z_{K−2}},  g = ∂L/∂z_K

J is one step old: the relative error against ift is O(‖z_{K−1} − z_{K−2}‖), so nothing once Newton has converged.
Cost: two triangular solves and one vjp of step, where ift with a dense solve makes n products and factors again.
Memory: A and n² a sample, flat in K. Reverse and forward mode; a second derivative raises.
Source: Christianson 1994, "Reverse accumulation and attractive fixed points".
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax

from impls.checks import require_factors
from impls.jax import ops
from impls.jax.factors import Factors, factorise
from impls.jax.jacobian import push_forward
from impls.jax.solvers import Newton, Solution, State, apply, finish
from impls.jax.types import Step


def fixed_point(step: Step, z0: State, args: ops.Tree, *, solver: Newton) -> Solution:
    """z = step(z, args), differentiable in args. z0: (b, *n), not differentiated.

    Raises ``ValueError`` for any solver but Newton with dense solves and K ≥ 2. Its last step is made here; where it
    has a tolerance, that step follows the one that met it.
    """
    require_factors(solver)
    frozen, z0 = ops.stop_gradient((args, ops.as_state("fixed_point", z0)))
    z, spent = replace(solver, steps=solver.steps - 1)(lambda z: step(z, frozen), z0)
    image, push = push_forward(lambda z: apply(step, z, frozen), z)
    factors = factorise(lambda v: v - push(v), z)
    z = ops.stop_gradient(z + factors.solve(image - z))
    fz = apply(step, z, ops.first_order(args, "ift_reused"))
    return finish(z, _implicit(factors, fz), spent + 1, solver.tol)


@jax.custom_jvp
def _implicit(factors: Factors, fz: State) -> State:
    """fz itself, whose derivative is that of the fixed point."""
    return fz


@_implicit.defjvp
def _implicit_rule(primals: Any, tangents: Any) -> tuple[State, State]:
    """The solve is linear in the tangent, and jax transposes it for reverse mode."""
    factors, fz = primals
    return fz, factors.solve(tangents[1])
