"""A linear solve in torch to a residual of 1e-12, for references alone."""

from __future__ import annotations

from typing import Any


class Refined:
    """x ← x + GMRES(b − A x) until ‖b − A x‖/‖b‖ ≤ tol, at most ``most`` products with A. NaN where it is missed."""

    tol, differentiable = 1e-12, False

    def __init__(self, most: int, steps: int = 40) -> None:
        self._rounds, self._steps = -(-most // steps) + 1, steps

    def __call__(self, A: Any, b: Any) -> Any:
        from impls.torch.linear_solvers import GMRES, solution
        from impls.torch.norms import largest_ratio

        inner, x, r, rounds = GMRES(self._steps), b.new_zeros(b.shape), b, 0
        while rounds < self._rounds and largest_ratio(r, b) > self.tol:
            x = x + inner(A, r).value
            r, rounds = b - A(x), rounds + 1
        return solution(x, rounds * self._steps, self.tol, A, b, r)
