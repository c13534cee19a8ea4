"""The implicit function theorem: z* = R(z*, θ) is differentiated as an equation, whichever solver found z*.

    dL/dθ = gᵀ (I − J)⁻¹ ∂R/∂θ,   J = ∂R/∂z,  g = ∂L/∂z_K,  both taken at z_{K−1}

Cost: the linear solve, and one vjp of step. Memory: A and the linear solver's, flat in K. Reverse mode solves the
transposed system on the cotangent, forward mode the same system on the tangent; a second derivative raises, and so
do torch.func's transforms, which allow no graph of their own inside.
Source: Bai, Kolter and Koltun, NeurIPS 2019, arXiv:1909.01377.
"""

from __future__ import annotations

import torch
import torch.autograd.forward_ad as fwd

from impls.torch import ops
from impls.torch.jacobian import push_forward
from impls.torch.linear_solvers import LinearSolver, Picard, solve
from impls.torch.solvers import Solution, Solver, State, apply, finish
from impls.torch.types import Step


def fixed_point(
    step: Step, z0: State, args: ops.Tree, *, solver: Solver, linear_solver: LinearSolver | None = None
) -> Solution:
    """z = step(z, args), differentiable in args. z0: (b, *n), not differentiated.

    linear_solver (default: Picard(60)) solves (I − J) x = b; where it misses its tolerance the gradient is NaN.
    """
    linear_solver = linear_solver or Picard()
    frozen, z0 = ops.stop_gradient((args, ops.as_state("fixed_point", z0)))
    with torch.no_grad():
        z, spent = solver(lambda z: step(z, frozen), z0)

    # One graph serves the attached step and the solve, so the backward pass evaluates step no second time. A hook on
    # the step's own output would call itself from within; first_order gives a view of it.
    image = apply(step, z.requires_grad_(torch.is_grad_enabled()), args)
    fz = ops.first_order(image, "ift")

    if fz.requires_grad:

        def transposed_solve(g: State | None) -> State | None:
            def transposed(v: State) -> State:
                return v - torch.autograd.grad(image, z, v, retain_graph=True, create_graph=v.requires_grad)[0]

            return g if g is None else solve(linear_solver, transposed, g)

        fz.register_hook(transposed_solve)

    value, tangent = fwd.unpack_dual(fz)
    if tangent is not None:
        _, push = push_forward(lambda z: step(z, frozen), z.detach())
        value = fwd.make_dual(value, solve(linear_solver, lambda v: v - push(v), tangent))
    return finish(z, value if tangent is not None else fz, spent, solver.tol)
