"""Solvers of A x = b for A = I − J or its transpose, given as a function; samples (axis 0) are independent systems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.lax import dynamic_update_index_in_dim as put

from impls.checks import require_steps
from impls.jax.anderson import AndersonLinear
from impls.jax.bicgstab import BiCGStab
from impls.jax.factors import matrix_of
from impls.jax.linear_solution import LinearMap, LinearSolution, LinearSolver, State, solution, solve
from impls.jax.normal_cg import NormalCG, PublishedNormalCG
from impls.jax.norms import largest_ratio, sample_norms, sizes, widened
from impls.jax.ops import as_state

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
        if self.tol == 0:
            x = jax.lax.fori_loop(1, self.steps, lambda _, x: x + (b - A(x)), b) if self.steps > 1 else b
            return solution(x, self.steps, self.tol, A, b)

        def going(state: tuple[State, State, Any]) -> Array:
            return (state[2] < self.steps) & ~(largest_ratio(state[1], b) <= self.tol)

        def update(state: tuple[State, State, Any]) -> tuple[State, State, Any]:
            x = state[0] + state[1]
            return x, b - A(x), state[2] + 1

        x, r, step = jax.lax.while_loop(going, update, (b, b - A(b), jnp.asarray(1)))
        return solution(x, step, self.tol, A, b, r)


@dataclass(frozen=True)
class GMRES:
    """x in the span of b, A b, …, A^{M−1} b with the least ‖b − A x‖, without restarts; every sample has its own space.

    Cost: M products, one more with a tolerance, and 4 M² vector products to orthogonalise (Gram–Schmidt, twice).
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
        size = sizes(b).reshape(-1, 1)
        # The squares of a small cotangent would underflow, those of a large one overflow.
        rows = widened(b.reshape(len(b), -1) / size)
        steps = min(self.steps, rows.shape[1])
        eps = jnp.finfo(rows.dtype).eps
        beta = sample_norms(rows)

        def arnoldi(j: Array, state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
            v, V, H = state
            V = put(V, v, j, 1)  # rows past j are zero
            w = widened(A(v.reshape(b.shape).astype(b.dtype))).reshape(rows.shape)
            first = jnp.einsum("bn,bmn->bm", w, V)
            w = w - jnp.einsum("bm,bmn->bn", first, V)
            second = jnp.einsum("bn,bmn->bm", w, V)
            w = w - jnp.einsum("bm,bmn->bn", second, V)
            h = first + second
            norm = sample_norms(w)
            H = put(
                H, jnp.pad(h, ((0, 0), (0, 1))) + norm[:, None] * (jnp.arange(steps + 1) == j + 1).astype(h.dtype), j, 2
            )
            going = norm > 10 * eps * sample_norms(h)  # else the space is complete, and x is exact
            return jnp.where(going, 1 / norm, 0)[:, None] * w, V, H

        v = rows / jnp.maximum(beta, jnp.finfo(rows.dtype).tiny)[:, None]
        basis = jnp.zeros((len(b), steps, rows.shape[1]), rows.dtype)
        H = jnp.zeros((len(b), steps + 1, steps + 1), rows.dtype)
        H = H.at[:, 0, steps].set(beta)  # the last column is the right-hand side, β e₁
        _, basis, H = jax.lax.fori_loop(0, steps, arnoldi, (v, basis, H))
        # H y = β e₁ in the least squares sense; directions that never came to be get the weight 0.
        triangle = jnp.linalg.qr(H, mode="r")
        R, rhs = triangle[:, :steps, :steps], triangle[:, :steps, steps]
        diagonal = jnp.diagonal(R, axis1=1, axis2=2)
        dead = abs(diagonal) <= 10 * eps * abs(diagonal).max(1, keepdims=True)
        R = R + jax.vmap(jnp.diag)(jnp.where(dead, 1 - diagonal, 0))
        y = jax.scipy.linalg.solve_triangular(R, jnp.where(dead, 0, rhs)[:, :, None])
        x = jnp.einsum("bmc,bmn->bn", widened(size)[:, None] * y, basis).reshape(b.shape).astype(b.dtype)
        return solution(x, steps, self.tol, A, b)  # what H says of b − A x holds in exact arithmetic alone


@dataclass(frozen=True)
class Dense:
    """x by LU of each sample's n × n matrix. Cost: n products in one batch, and ⅔ n³ flops a sample. Memory: n states;
    in float32 where b has fewer digits. A singular A gives NaN or infinity, since compiled code cannot raise;
    ``training.require_finite`` says so."""

    tol: float = 0.0
    differentiable = True

    def __call__(self, A: LinearMap, b: State) -> LinearSolution:
        b = as_state("Dense", b)
        matrix = widened(matrix_of(A, b))
        n = matrix.shape[1]
        rhs = widened(b.reshape(len(b), n, 1))
        x = jnp.linalg.solve(matrix, rhs).astype(b.dtype)
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
