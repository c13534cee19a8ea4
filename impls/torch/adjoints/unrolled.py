"""Unrolled differentiation: the chain rule through every step of the solver.

    dL/dθ = Σ_{k<K} gᵀ J_{K−1} ⋯ J_{K−k} ∂R/∂θ|_{z_{K−1−k}},   g = ∂L/∂z_K,  J_k = ∂R/∂z|_{z_k}

Exact for z_K itself, and for the fixed point as K grows. Cost: 2K − 1 further step products. Memory: K·A.
First and higher derivatives, reverse and forward mode. Source: Domke 2012, "Generic methods for optimization-based
modeling".
"""

from __future__ import annotations

from impls.checks import require_unrollable
from impls.torch.ops import Tree, as_state, dense
from impls.torch.solvers import Solution, Solver, State, apply, finish
from impls.torch.types import Step


def fixed_point(step: Step, z0: State, args: Tree, *, solver: Solver) -> Solution:
    """z = step(z, args), differentiable in args through all K evaluations. z0: (b, *n), not differentiated.

    Raises ``ValueError`` for a solver that stops early or that holds a linear solver without a derivative.
    """
    require_unrollable(solver)
    if solver.method == "newton":  # it differentiates step itself
        args = dense(args)
    z, spent = solver(lambda z: step(z, args), as_state("fixed_point", z0), unroll=True)
    return finish(z, apply(step, z, args), spent, solver.tol)
