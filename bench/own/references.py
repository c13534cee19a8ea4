"""The true gradient of a model in float64, and the check that it is the derivative of its loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from bench.own.question import Question, Unsuitable, model
from bench.own.state import residual
from bench.reasons import without_paths

SOLVED, ENOUGH = 1e-13, 1e-10
"""Residual that a float64 solve aims at, and the largest one that is taken where rounding lets it go no further."""

PATIENCE = 60
"""Evaluations without a smaller residual after which a solve has come to its end."""

AGREES = 1e-5
"""Largest distance of a central difference from the derivative along its direction, relative to what such a derivative
is by order: in float64 the best of ``STEPS`` leaves 1e-8 and less of a smooth loss, and a forgotten term leaves all."""

UNLIKE = {"float64": 1e-2, "float32": 1e-2}
"""Part by which a loss may change with the dtype, of itself or, where it cancels, of a hundredth of ‖g‖‖θ‖."""

STEPS = (1e-5, 1e-6, 1e-4, 1e-7)
"""Parts of ‖θ‖ that are tried: smaller ones for kinks and strong curvature, larger ones for a flat loss."""


@dataclass(frozen=True)
class Reference:
    """gradient: concatenated, None where there is none to be trusted; then ``note`` says why."""

    gradient: np.ndarray | None
    note: str = ""


def reference(question: Question, framework: Any, taken: Any, K: int) -> Reference:
    """The gradient of the same model in float64: backprop, or the implicit function theorem at the fixed point.

    framework: as in ``bench.frameworks``. taken: the model in its own dtype. K: steps of its solve; the one in float64
    takes at most 50 times as many. Never raises for what the model does: the note says it.
    """
    try:
        with framework.double():
            found, value, z = _computed(question, framework, taken.alone, 50 * K)
        if found.gradient is None:
            return found
        own, theta = taken.value(taken.leaves, z), [taken.numpy(one) for one in taken.leaves]
        slope = float(np.linalg.norm(found.gradient)) * sum(float(np.linalg.norm(one)) for one in theta)
        if not abs(value - own) <= UNLIKE.get(taken.dtype, 0.3) * (0.01 * slope + max(abs(value), abs(own))):
            return Reference(
                None,
                f"No gradient error: in float64 the loss is {value:.3g} and not {own:.3g}: it depends on the dtype, as "
                "random draws do.",
            )
        return found
    except Unsuitable as error:
        return Reference(None, f"No gradient error: in float64, {error}")
    except Exception as error:
        text = without_paths((str(error).strip().splitlines() or [""])[0])
        return Reference(
            None, f"No gradient error: the model does not run in float64 ({type(error).__name__}: {text})."
        )


def _computed(question: Question, framework: Any, alone: bool, most: int) -> tuple[Reference, float, np.ndarray | None]:
    """The reference, the loss in float64, and the fixed point where there is one."""
    exact = model(question, double=True, alone=alone)
    gradients = import_module(f"impls.{question.framework}.gradients.backprop")
    if not question.implicit:
        found = _gradient(question, framework, exact, gradients.value_and_grad(exact.loss()))
        return _checked(exact, found, exact.value), exact.value(exact.leaves), None
    z, left = settled(exact.apply(), exact.numpy(exact.rest["z0"]), most)
    if not left <= ENOUGH:
        return Reference(None, f"No gradient error: the float64 solve stops at a residual of {left:.2g}."), 0.0, None
    adjoint = import_module(f"impls.{question.framework}.adjoints.ift")
    refined = import_module(f"bench.own.{question.framework}_refined").Refined(most)

    def fixed_point(step: Any, z0: Any, args: Any) -> Any:
        return adjoint.fixed_point(step, z0, args, solver=Known(exact.state(z)), linear_solver=refined)

    found = _gradient(question, framework, exact, gradients.value_and_grad(exact.loss(fixed_point)))
    if not np.isfinite(found).all():
        return Reference(None, f"No gradient error: the float64 backward solve misses {refined.tol:.0e}."), 0.0, None

    def value(leaves: list[Any]) -> float:
        near, _ = settled(exact.apply(leaves), z, most)
        return exact.value(leaves, near)

    return _checked(exact, found, value), exact.value(exact.leaves, z), z


@dataclass(frozen=True)
class Known:
    """A solver that has the fixed point already."""

    value: Any
    method: str = "picard"
    tol: float = 0.0

    def __call__(self, f: Any, z0: Any, *, unroll: bool = False) -> tuple[Any, int]:
        return self.value, 1


def settled(step: Callable[[np.ndarray], np.ndarray], z: np.ndarray, most: int) -> tuple[np.ndarray, float]:
    """Where Picard steps from z end, and the residual there: ``SOLVED``, or no better for ``PATIENCE`` steps."""
    least, best, since = np.inf, z, 0
    for _ in range(most):
        following = step(z)
        if not np.isfinite(following).all():
            break
        left, z = residual(z, following), following
        since = 0 if left < least else since + 1
        if left < least:
            least, best = left, z
        if least <= SOLVED or since >= PATIENCE:
            break
    return best, least


def _checked(exact: Any, found: np.ndarray, value: Callable[[list[Any]], float]) -> Reference:
    """The gradient, once it is the derivative of ``value`` along three directions."""
    leaves = [exact.numpy(one) for one in exact.leaves]
    theta = np.concatenate([one.ravel() for one in leaves])
    if not np.linalg.norm(found) > 0:
        return Reference(None, "No gradient error: the gradient is zero, or the loss does not depend on the leaves.")
    rng = np.random.default_rng(0)
    for _ in range(3):
        v = rng.normal(size=theta.size)
        v *= (np.linalg.norm(theta) or 1.0) / np.linalg.norm(v)
        slope = float(found @ v)
        scale = abs(slope) + np.linalg.norm(found) * np.linalg.norm(v) / np.sqrt(theta.size)
        missed = np.inf
        for h in STEPS:
            ends = [value(exact.with_leaves(_split(theta + sign * h * v, leaves))) for sign in (1, -1)]
            missed = min(missed, abs((ends[0] - ends[1]) / (2 * h) - slope) / scale)
            if missed <= AGREES:
                break
        else:
            return Reference(
                None,
                f"No gradient error: the model's float64 derivative is {missed:.1g} away from central differences of "
                "its loss: it has a detach, a custom rule, a kink, or a cast to a smaller dtype.",
            )
    return Reference(found)


def _split(theta: np.ndarray, like: list[np.ndarray]) -> list[np.ndarray]:
    ends = np.cumsum([one.size for one in like])[:-1]
    return [part.reshape(one.shape) for part, one in zip(np.split(theta, ends), like, strict=True)]


def _gradient(question: Question, framework: Any, exact: Any, fn: Callable[..., Any]) -> np.ndarray:
    """The concatenated gradient that ``fn(leaves, rest)`` returns second."""
    call, _ = framework.gradient(fn, exact.leaves, exact.rest)
    leaves = import_module(f"impls.{question.framework}.ops").leaves(framework.sync(call())[1])
    return np.concatenate([framework.numpy(one).ravel() for one in leaves])
