"""Jacobian-free backprop: only the last step passes a gradient on, as if the state before it were data.

    dL/dθ ≈ gᵀ ∂R/∂θ|_{z_{K−1}},   g = ∂L/∂z_K

The order-0 Neumann truncation of the implicit gradient: relative error of its adjoint at most γ, and never less with
more steps. Cost: one vjp of step. Memory: A, flat in K. Reverse and forward mode; a second derivative raises.
Source: Wu Fung et al., AAAI 2022, arXiv:2103.12803; one-step differentiation, Bolte, Pauwels and Vaiter 2023.
"""

from __future__ import annotations

from impls.jax import ops
from impls.jax.solvers import Solution, Solver, State, apply, finish
from impls.jax.types import Step


def fixed_point(step: Step, z0: State, args: ops.Tree, *, solver: Solver) -> Solution:
    """z = step(z, args), differentiable in args through its last evaluation alone. z0: (b, *n), not differentiated."""
    frozen, z0 = ops.stop_gradient((args, ops.as_state("fixed_point", z0)))
    z, spent = solver(lambda z: step(z, frozen), z0)
    fz = apply(step, ops.stop_gradient(z), ops.first_order(args, "jfb"))
    return finish(z, fz, spent, solver.tol)
