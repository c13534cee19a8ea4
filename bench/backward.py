"""Steps and residual of a backward solve, from one more gradient call whose linear solver is watched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bench.instruments.accuracy import largest_ratio


def backward_solve(framework: Any, linear_solver: Any, build: Callable[[Any], Callable[[], Any]]) -> dict[str, float]:
    """``build(linear_solver)`` makes the call; it is not timed.

    The residual is that of the x that the method went on with: ‖b − A x‖/‖b‖ with one more product, whatever the solver
    says of itself. Of several solves in a call, as with several tangents, it is the largest.
    """
    found: dict[str, float] = {}

    def note(steps: Any, r: Any, b: Any) -> None:
        residual = largest_ratio(*(framework.numpy(one) for one in (r, b)))
        largest = float(np.maximum(residual, found.get("backward_residual", 0.0)))
        found.update(backward_steps=float(steps), backward_residual=largest)

    watched = Watched(linear_solver, lambda one, r, b: framework.tell(note, one.steps, r, b))
    framework.settle(build(watched)())
    return found


class Watched:
    """A linear solver that shows each solution, b − A x and b to ``look`` before it returns the solution."""

    def __init__(self, inner: Any, look: Callable[[Any, Any, Any], None]) -> None:
        self._inner, self._look = inner, look
        self.tol, self.differentiable = inner.tol, inner.differentiable

    def __call__(self, A: Any, b: Any) -> Any:
        found = self._inner(A, b)
        self._look(found, b - A(found.value), b)
        return found
