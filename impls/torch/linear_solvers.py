"""Solvers of A x = b for A = I − J or its transpose, given as a function; samples (axis 0) are independent systems.

Each returns a ``LinearSolution``. A solver that was given a tolerance and misses it says so in ``converged``;
``solve`` turns that into NaN, so that no wrong gradient passes for a right one and no host has to look.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from impls.checks import require_steps
from impls.torch.norms import largest_ratio, sample_norms

State = Float[Tensor, "b *n"]
LinearMap = Callable[[State], State]


class LinearSolution(NamedTuple):
    """value: x. steps: as each solver counts them. residual: largest over samples of ‖b − A x‖/‖b‖, of the last x for
    which it is known without another product. converged: within the tolerance, where there is one, and finite."""

    value: State
    steps: Tensor
    residual: Float[Tensor, ""]
    converged: Tensor


class LinearSolver(Protocol):
    """Solves A x = b. differentiable: reverse mode can run through it, as unrolled Newton needs."""

    @property
    def differentiable(self) -> bool: ...

    @property
    def tol(self) -> float: ...

    def __call__(self, A: LinearMap, b: State) -> LinearSolution: ...


def solve(linear_solver: LinearSolver, A: LinearMap, b: State) -> State:
    """The solution, or NaN throughout where the solver missed its tolerance."""
    found = linear_solver(A, b)
    return torch.where(found.converged, found.value, torch.nan) if linear_solver.tol > 0 else found.value


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
                return _solution(x, step, r, b, self.tol)
            r = b - A(x)
            x = x + r
        return _solution(x, self.steps, r, b, self.tol)


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
        return _solution(x, steps, r, b, self.tol)


@dataclass(frozen=True)
class Dense:
    """x by LU of each sample's n × n matrix. Cost: n products in one batch, and ⅔ n³ flops a sample. Memory: n states.
    A singular A raises ``LinAlgError``."""

    tol: float = 0.0
    differentiable = True

    def __call__(self, A: LinearMap, b: State) -> LinearSolution:
        n = b[0].numel()
        basis = torch.eye(n, dtype=b.dtype, device=b.device).view(n, 1, *b.shape[1:]).expand(n, *b.shape)
        matrix = torch.func.vmap(A)(basis).reshape(n, len(b), n).permute(1, 2, 0)
        x, info = torch.linalg.solve_ex(matrix, b.reshape(len(b), n, 1))
        if info.any():
            sample = int(info.nonzero()[0, 0])
            raise torch.linalg.LinAlgError(
                f"I − J is singular at sample {sample}, so the fixed point is not isolated there "
                "and has no derivative: make step a contraction."
            )
        r = b.reshape(len(b), n, 1) - matrix @ x
        return _solution(x.reshape(b.shape), n, r.detach(), b, self.tol)


def _solution(x: State, steps: int, r: Tensor, b: State, tol: float) -> LinearSolution:
    residual = largest_ratio(r.detach(), b.detach())
    converged = residual <= tol if tol > 0 else torch.isfinite(residual)
    return LinearSolution(x, torch.tensor(float(steps)), residual, converged)


LINEAR_SOLVERS: dict[str, type[Picard] | type[GMRES] | type[Dense]] = {
    "picard": Picard,
    "gmres": GMRES,
    "dense": Dense,
}
