"""Steps and residual of a backward solve, from one more gradient call whose linear solver reports what it found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def backward_solve(framework: Any, linear_solver: Any, build: Callable[[Any], Callable[[], Any]]) -> dict[str, float]:
    """``build(linear_solver)`` makes the call; it is not timed. The last solve of the call is the one reported."""
    found: dict[str, float] = {}

    def note(steps: Any, residual: Any) -> None:
        found.update(backward_steps=float(steps), backward_residual=float(residual))

    watched = Watched(linear_solver, lambda one: framework.tell(note, one.steps, one.residual))
    framework.settle(build(watched)())
    return found


class Watched:
    """A linear solver that shows each solution to ``look`` before it returns it."""

    def __init__(self, inner: Any, look: Callable[[Any], None]) -> None:
        self._inner, self._look = inner, look
        self.tol, self.differentiable = inner.tol, inner.differentiable

    def __call__(self, A: Any, b: Any) -> Any:
        found = self._inner(A, b)
        self._look(found)
        return found
