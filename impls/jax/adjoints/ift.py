"""The implicit function theorem: z* = R(z*, θ) is differentiated as an equation, whichever solver found z*.

    dL/dθ = gᵀ (I − J)⁻¹ ∂R/∂θ,   J = ∂R/∂z,  g = ∂L/∂z_K,  both taken at z_{K−1}

Cost: the linear solve, and one vjp of step. Memory: A and the linear solver's, flat in K. Reverse mode solves the
transposed system on the cotangent, forward mode the same system on the tangent; a second derivative raises.
Source: Bai, Kolter and Koltun, NeurIPS 2019, arXiv:1909.01377.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax

from impls.jax import ops
from impls.jax.jacobian import push_forward
from impls.jax.linear_solvers import LinearSolver, Picard, solve
from impls.jax.solvers import Solution, Solver, State, apply, finish
from impls.jax.types import Step


def fixed_point(
    step: Step, z0: State, args: ops.Tree, *, solver: Solver, linear_solver: LinearSolver | None = None
) -> Solution:
    """z = step(z, args), differentiable in args. z0: (b, *n), not differentiated.

    linear_solver (default: Picard(60)) solves (I − J) x = b; where it misses its tolerance the gradient is NaN.
    """
    linear_solver = linear_solver or Picard()
    frozen, z0 = ops.stop_gradient((args, ops.as_state("fixed_point", z0)))
    z, spent = solver(lambda z: step(z, frozen), z0)
    z = ops.stop_gradient(z)
    fz = apply(step, z, ops.first_order(args, "ift"))
    return finish(z, _implicit(step, linear_solver, z, frozen, fz), spent, solver.tol)


@partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def _implicit(step: Step, linear_solver: LinearSolver, z: State, frozen: ops.Tree, fz: State) -> State:
    """fz itself, whose derivative is that of the fixed point."""
    return fz


@_implicit.defjvp
def _implicit_rule(step: Step, linear_solver: LinearSolver, primals: Any, tangents: Any) -> tuple[State, State]:
    """One solve for both modes: ``custom_linear_solve`` knows that the transpose of a solve is a transposed solve."""
    z, frozen, fz = primals
    _, push = push_forward(lambda z: step(z, frozen), z)

    def solved(A: Any, b: State) -> State:
        return solve(linear_solver, A, b)

    tangent = jax.lax.custom_linear_solve(lambda v: v - push(v), tangents[2], solved, solved)
    return fz, tangent
