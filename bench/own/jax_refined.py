"""A linear solve in jax to a residual of 1e-12, for references alone."""

from __future__ import annotations

from typing import Any


class Refined:
    """x ← x + GMRES(b − A x) until ‖b − A x‖/‖b‖ ≤ tol, at most ``most`` products with A. NaN where it is missed."""

    tol, differentiable = 1e-12, False

    def __init__(self, most: int, steps: int = 40) -> None:
        self._rounds, self._steps = -(-most // steps) + 1, steps

    def __call__(self, A: Any, b: Any) -> Any:
        import jax

        from impls.jax.linear_solvers import GMRES, solution
        from impls.jax.norms import largest_ratio

        inner = GMRES(self._steps)

        def going(state: Any) -> Any:
            _, r, rounds = state
            return (rounds < self._rounds) & (largest_ratio(r, b) > self.tol)

        def refined(state: Any) -> Any:
            x, r, rounds = state
            x = x + inner(A, r).value
            return x, b - A(x), rounds + 1

        x, r, rounds = jax.lax.while_loop(going, refined, (0 * b, b, 0))
        return solution(x, rounds * self._steps, self.tol, A, b, r)
