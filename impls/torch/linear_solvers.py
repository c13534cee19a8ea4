"""Solvers of A x = b for A = I − J or its transpose, given as a function; samples (axis 0) are independent systems."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from impls.checks import require_steps, singular
from impls.torch.anderson import AndersonLinear
from impls.torch.bicgstab import BiCGStab
from impls.torch.factors import matrix_of
from impls.torch.linear_solution import LinearMap, LinearSolution, LinearSolver, State, solution, solve
from impls.torch.normal_cg import NormalCG, PublishedNormalCG
from impls.torch.norms import largest_ratio, sample_norms, sizes, widened
from impls.torch.ops import as_state

__all__ = [
    "GMRES",
    "LINEAR_SOLVERS",
    "AndersonLinear",
    "BiCGStab",
    "Dense",
    "LinearMap",
    "LinearSolution",
    "LinearSolver",
    "NormalCG",
    "Picard",
    "PublishedNormalCG",
    "solve",
]


@dataclass(frozen=True)
class Picard:
    """x ← x + b − A x from x₀ = 0, so x_M = Σ_{m<M} Jᵐ b; M = 1 gives x = b. Cost: M − 1 products, and one more with a
    tolerance. Memory: 2 states. tol: stop at the first x with ‖b − A x‖/‖b‖ ≤ tol; 0 never stops early."""

    steps: int = 60
    tol: float = 0.0
    differentiable = True

    def __post_init__(self) -> None:
        require_steps("Picard", self.steps, self.tol)

    def __call__(self, A: LinearMap, b: State) -> LinearSolution:
        b = as_state("Picard", b)
        x = b
        for step in range(1, self.steps):
            r = b - A(x)
            if self.tol > 0 and largest_ratio(r, b) <= self.tol:
                return solution(x, step, self.tol, A, b, r)
            x = x + r
        return solution(x, self.steps, self.tol, A, b)


@dataclass(frozen=True)
class GMRES:
    """x in the span of b, A b, …, A^{M−1} b with the least ‖b − A x‖, without restarts; every sample has its own space.

    Cost: M products, one more with a tolerance, and 2 M² vector products to orthogonalise (Gram–Schmidt, twice).
    Memory: M + 4 states, in float32 where b has fewer digits. tol: looked at after the last step.
    Source: Saad and Schultz 1986.
    """

    steps: int = 20
    tol: float = 0.0
    differentiable = False

    def __post_init__(self) -> None:
        require_steps("GMRES", self.steps, self.tol)

    def __call__(self, A: LinearMap, b: State) -> LinearSolution:
        b = as_state("GMRES", b)
        size = sizes(b).view(-1, 1)
        # The squares of a small cotangent would underflow, those of a large one overflow.
        v = widened(b.flatten(1) / size)
        steps = min(self.steps, v.shape[1])
        eps = torch.finfo(v.dtype).eps
        beta = sample_norms(v)
        v = v / beta.clamp(min=torch.finfo(v.dtype).tiny)[:, None]
        basis = v.new_zeros(len(b), steps, v.shape[1])
        H = v.new_zeros(len(b), steps + 1, steps + 1)
        H[:, 0, steps] = beta  # the last column is the right-hand side, β e₁
        for j in range(steps):
            basis[:, j] = v
            V = basis[:, : j + 1]
            w = widened(A(v.view_as(b).to(b.dtype))).reshape(len(b), 1, -1)
            first = torch.bmm(w, V.mT)
            w = torch.baddbmm(w, first, V, alpha=-1)
            second = torch.bmm(w, V.mT)
            w.baddbmm_(second, V, alpha=-1)
            h = (first + second)[:, 0]
            norm = sample_norms(w)
            H[:, : j + 1, j], H[:, j + 1, j] = h, norm
            going = norm > 10 * eps * sample_norms(h)  # else the space is complete, and x is exact
            v = torch.where(going, 1 / norm, 0)[:, None] * w[:, 0]
        # H y = β e₁ in the least squares sense; directions that never came to be get the weight 0.
        triangle = torch.linalg.qr(H, mode="r").R
        R, rhs = triangle[:, :steps, :steps], triangle[:, :steps, steps]
        diagonal = R.diagonal(dim1=1, dim2=2)
        dead = diagonal.abs() <= 10 * eps * diagonal.abs().amax(1, keepdim=True)
        R = R + torch.diag_embed(torch.where(dead, 1 - diagonal, 0))
        y = torch.linalg.solve_triangular(R, torch.where(dead, 0, rhs)[:, :, None], upper=True)
        x = torch.bmm((size[:, None] * y).mT, basis).view_as(b).to(b.dtype)
        return solution(x, steps, self.tol, A, b)  # what H says of b − A x holds in exact arithmetic alone


@dataclass(frozen=True)
class Dense:
    """x by LU of each sample's n × n matrix. Cost: n products in one batch, and ⅔ n³ flops a sample. Memory: n states;
    in float32 where b has fewer digits. A singular A raises ``LinAlgError``."""

    tol: float = 0.0
    differentiable = True

    def __call__(self, A: LinearMap, b: State) -> LinearSolution:
        b = as_state("Dense", b)
        matrix = widened(matrix_of(A, b))
        n = matrix.shape[1]
        rhs = widened(b.reshape(len(b), n, 1))
        x, info = torch.linalg.solve_ex(matrix, rhs)
        if info.any():
            raise torch.linalg.LinAlgError(singular(int(info.nonzero()[0, 0])))
        x = x.to(b.dtype)
        r = rhs - matrix @ widened(x)
        return solution(x.reshape(b.shape), n, self.tol, A, b, r.reshape(b.shape))


LINEAR_SOLVERS: dict[
    str, type[Picard] | type[GMRES] | type[Dense] | type[NormalCG] | type[BiCGStab] | type[AndersonLinear]
] = {
    "picard": Picard,
    "gmres": GMRES,
    "dense": Dense,
    "normal_cg": NormalCG,
    "normal_cg_published": PublishedNormalCG,
    "bicgstab": BiCGStab,
    "anderson": AndersonLinear,
}
