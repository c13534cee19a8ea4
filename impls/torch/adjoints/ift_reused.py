"""The implicit function theorem with the factors that Newton's last step leaves behind.

    dL/dθ ≈ gᵀ (I − J)⁻¹ ∂R/∂θ|_{z_{K−1}},   J = ∂R/∂z|_{z_{K−2}},  g = ∂L/∂z_K

J is one step old: the relative error against ift is O(‖z_{K−1} − z_{K−2}‖), so nothing once Newton has converged.
Cost: two triangular solves and one vjp of step, where ift with a dense solve makes n products and factors again.
Memory: A and n² a sample, flat in K. Reverse and forward mode; a second derivative raises.
Source: Christianson 1994, "Reverse accumulation and attractive fixed points".
"""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.autograd.forward_ad as fwd

from impls.checks import require_factors
from impls.torch import ops
from impls.torch.factors import factorise
from impls.torch.jacobian import push_forward
from impls.torch.solvers import Newton, Solution, State, apply, finish
from impls.torch.types import Step


def fixed_point(step: Step, z0: State, args: ops.Tree, *, solver: Newton) -> Solution:
    """z = step(z, args), differentiable in args. z0: (b, *n), not differentiated.

    Raises ``ValueError`` for any solver but Newton with dense solves and K ≥ 2. Its last step is made here; where it
    has a tolerance, that step follows the one that met it.
    """
    require_factors(solver)
    frozen, z0 = ops.stop_gradient((args, ops.as_state("fixed_point", z0)))
    with torch.no_grad():
        z, spent = replace(solver, steps=solver.steps - 1)(lambda z: step(z, frozen), z0)
        image, push = push_forward(lambda z: apply(step, z, frozen), z)
        factors = factorise(lambda v: v - push(v), z)
        z = z + factors.solve(image - z)

    fz = ops.first_order(apply(step, z, args), "ift_reused")
    if fz.requires_grad:
        fz.register_hook(lambda g: g if g is None else factors.solve(g, transposed=True))
    value, tangent = fwd.unpack_dual(fz)
    if tangent is not None:
        fz = fwd.make_dual(value, factors.solve(tangent))
    return finish(z, fz, spent + 1, solver.tol)
