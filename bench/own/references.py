"""The true gradient of a model in float64, and the check that it is the derivative of its loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.own.derived import LONGEST, derived, settled
from bench.own.question import Question, Unsuitable, model
from bench.own.rounding import spread
from bench.own.state import residual, shortest
from bench.own.tolerances import COARSE, SPREADS
from bench.reasons import without_paths

AGREES = 1e-5
"""Largest distance of a central difference from the derivative along its direction, relative to what such a derivative
is by order: in float64 the best of ``STEPS`` leaves 1e-8 and less of a smooth loss, and a forgotten term leaves all."""

UNLIKE = {"float64": 1e-10, "float32": 1e-4}
"""Part by which a loss, and a step at the fixed point, may change with the dtype, on top of what rounding the arrays
changes the loss by. Other random numbers change it by more."""

VANISHES = 1e-12
"""Part of the loss at the start below which ‖g‖ and ‖g‖‖θ‖ are 0."""

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
    takes at most ``LONGEST`` times as many. Never raises for what the model does: the note says it.
    """
    try:
        with framework.double():
            exact = model(question, double=True, alone=taken.alone)
            found, value, z = _computed(question, framework, exact, LONGEST * K)
            if found.gradient is None:
                return found
            rounded = spread(lambda near, z: exact.value(near.leaves, z), exact, taken.dtype, value, z)
        return _alike(found, taken, value, rounded, z)
    except Unsuitable as error:
        return Reference(None, f"No gradient error: in float64, {error}")
    except Exception as error:
        text = without_paths((str(error).strip().splitlines() or [""])[0])
        return Reference(
            None, f"No gradient error: the model does not run in float64 ({type(error).__name__}: {text})."
        )


def _alike(found: Reference, taken: Any, value: float, rounded: float, z: np.ndarray | None) -> Reference:
    """The reference, where the model in its own dtype is the same one: its loss, and its step at the fixed point."""
    part = UNLIKE.get(taken.dtype, COARSE)
    own, theta = taken.value(taken.leaves, z), [taken.numpy(one) for one in taken.leaves]
    assert found.gradient is not None
    slope = float(np.linalg.norm(found.gradient)) * sum(float(np.linalg.norm(one)) for one in theta)
    if not abs(value - own) <= part * (0.01 * slope + max(abs(value), abs(own))) + SPREADS * rounded:
        return Reference(
            None,
            f"No gradient error: {_differ(value, own)}: it depends on the dtype, as random draws do.",
        )
    if z is not None:
        step, at = taken.apply(), taken.numpy(taken.state(z))
        if not (left := residual(at, step(at), shortest(step, taken.numpy(taken.rest["z0"])))) <= part:
            return Reference(
                None,
                f"No gradient error: at the float64 fixed point step leaves a residual of {left:.2g} in {taken.dtype}: "
                "it depends on the dtype, as random draws do.",
            )
    return found


def _differ(value: float, own: float) -> str:
    texts = [f"{one:.3g}" for one in (value, own)]
    if texts[0] == texts[1]:
        texts = [f"{one:.7g}" for one in (value, own)]
    return f"in float64 the loss is {texts[0]} and not {texts[1]}"


def _computed(question: Question, framework: Any, exact: Any, most: int) -> tuple[Reference, float, np.ndarray | None]:
    """The reference, the loss in float64, and the fixed point where there is one."""
    found, z, note = derived(question, framework, exact, most)
    if found is None:
        return Reference(None, note), 0.0, None

    def value(leaves: list[Any]) -> float:
        if z is None:
            return float(exact.value(leaves))
        near, _ = settled(exact.apply(leaves), z, most)
        return float(exact.value(leaves, near))

    own = float(exact.value(exact.leaves, z))
    # Where z* = 0 the loss and its derivative may vanish, to the rounding of a start that was of length 1.
    least = 0.0 if z is None else VANISHES * abs(exact.value(exact.leaves, exact.numpy(exact.rest["z0"])))
    return _checked(exact, found, value, least), own, z


def _checked(exact: Any, found: np.ndarray, value: Callable[[list[Any]], float], least: float) -> Reference:
    """The gradient, once it is the derivative of ``value`` along three directions; one of ``least`` or less is zero."""
    leaves = [exact.numpy(one) for one in exact.leaves]
    theta = np.concatenate([one.ravel() for one in leaves])
    if not np.linalg.norm(found) * np.linalg.norm(theta) > least and not np.linalg.norm(found) > least:
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
