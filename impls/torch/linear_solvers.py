"""Solvers of A x = b for A = I − J or its transpose, given as a function; samples (axis 0) are independent systems."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from impls.checks import require_steps, singular
from impls.torch.factors import matrix_of
from impls.torch.linear_solution import LinearMap, LinearSolution, LinearSolver, State, solution, solve
from impls.torch.normal_cg import NormalCG, PublishedNormalCG
from impls.torch.norms import largest_ratio, sample_norms

__all__ = [
    "GMRES",
    "LINEAR_SOLVERS",
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
    """x ← x + b − A x from x₀ = 0, so x_M = Σ_{m<M} Jᵐ b; M = 1 gives x = b. Cost: M − 1 products. Memory: 2 states."""

    steps: int = 60
    tol: float = 0.0
    differentiable = True

    def __post_init__(self) -> None:
        require_steps("Picard", self.steps, self.tol)

    def __call__(self, A: LinearMap, b: State) -> LinearSolution:
        x, r = b, b
        for step in range(1, self.steps):
            if self.tol > 0 and largest_ratio(r, b) <= self.tol:
                return solution(x, step, r, b, self.tol)
            r = b - A(x)
            x = x + r
        return solution(x, self.steps, r, b, self.tol)


@dataclass(frozen=True)
class GMRES:
    """x in the span of b, A b, …, A^{M−1} b with the least ‖b − A x‖, without restarts; every sample has its own space.

    Cost: M products, and 2 M² vector products to orthogonalise (Gram–Schmidt, twice). Memory: M + 1 states.
    Source: Saad and Schultz 1986.
    """

    steps: int = 20
    tol: float = 0.0
    differentiable = False

    def __post_init__(self) -> None:
        require_steps("GMRES", self.steps, self.tol)

    def __call__(self, A: LinearMap, b: State) -> LinearSolution:
        rows = b.flatten(1)
        steps = min(self.steps, rows.shape[1])
        eps = torch.finfo(b.dtype).eps
        beta = sample_norms(b)
        basis = torch.zeros(steps + 1, *rows.shape, dtype=b.dtype, device=b.device)
        H = torch.zeros(len(b), steps + 1, steps, dtype=b.dtype, device=b.device)
        basis[0] = rows / beta.clamp(min=torch.finfo(b.dtype).tiny)[:, None]
        for j in range(steps):
            w = A(basis[j].view_as(b)).flatten(1)
            before = sample_norms(w)
            for _ in range(2):
                h = torch.einsum("jbn,bn->bj", basis[: j + 1], w)
                w = w - torch.einsum("jbn,bj->bn", basis[: j + 1], h)
                H[:, : j + 1, j] += h
            norm = sample_norms(w)
            norm = torch.where(norm > 10 * eps * before, norm, 0)  # the space is complete: x is exact
            H[:, j + 1, j] = norm
            basis[j + 1] = torch.where(norm > 0, 1 / norm, 0)[:, None] * w
        # H y = β e₁ in the least squares sense; directions that never came to be get the weight 0.
        Q, R = torch.linalg.qr(H)
        diagonal = R.diagonal(dim1=1, dim2=2)
        dead = diagonal.abs() <= 10 * eps * diagonal.abs().amax(1, keepdim=True)
        rhs = torch.where(dead, 0, beta[:, None] * Q[:, 0])
        R = R + torch.diag_embed(torch.where(dead, 1 - diagonal, 0))
        y = torch.linalg.solve_triangular(R, rhs[:, :, None], upper=True)
        x = torch.einsum("jbn,bj->bn", basis[:-1], y[:, :, 0]).view_as(b)
        r = torch.nn.functional.pad(beta[:, None], (0, steps)) - (H @ y)[:, :, 0]
        return solution(x, steps, r, b, self.tol)


@dataclass(frozen=True)
class Dense:
    """x by LU of each sample's n × n matrix. Cost: n products in one batch, and ⅔ n³ flops a sample. Memory: n states.
    A singular A raises ``LinAlgError``."""

    tol: float = 0.0
    differentiable = True

    def __call__(self, A: LinearMap, b: State) -> LinearSolution:
        matrix = matrix_of(A, b)
        n = matrix.shape[1]
        x, info = torch.linalg.solve_ex(matrix, b.reshape(len(b), n, 1))
        if info.any():
            raise torch.linalg.LinAlgError(singular(int(info.nonzero()[0, 0])))
        r = b.reshape(len(b), n, 1) - matrix @ x
        return solution(x.reshape(b.shape), n, r.detach(), b, self.tol)


LINEAR_SOLVERS: dict[str, type[Picard] | type[GMRES] | type[NormalCG] | type[Dense]] = {
    "picard": Picard,
    "gmres": GMRES,
    "dense": Dense,
    "normal_cg": NormalCG,
    "normal_cg_published": PublishedNormalCG,
}
