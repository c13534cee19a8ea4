"""The true gradient of a model in float64, and the check that it is the derivative of its loss.

Three references: the derivative, by backprop or by the implicit function theorem at the fixed point; where I − J is
singular there, unrolled differentiation; where there is no reverse mode, central differences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from bench.failures import NotApplicable, without_paths
from bench.own.float64 import COARSE, LONGEST, SPREADS, derived, doubled, settled, spread, unrolled
from bench.own.model import missing_modes, model
from bench.own.nest import listed
from bench.own.question import Question, Unsuitable
from bench.own.state import nearest_to_one, residual, shortest, spectral_radius

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

SINGULAR = 1e-6
"""How close to 1 an eigenvalue of J is at which I − J is as good as singular: a gradient is 1/|1 − λ| times as long as
what it comes from, and so is its rounding. A slow contraction, of 0.9995 say, is regular."""

FEW = 1000
"""The most parameters whose gradient is made of central differences, one by one."""

Value = Callable[[list[Any]], float]
"""The float64 loss of leaves."""


@dataclass(frozen=True)
class Reference:
    """gradient: concatenated, None where there is none to be trusted; then ``note`` says why. error: the part of its
    length by which it may be off itself. singular: I − J is, so that a solve with it gives anything. differences: there
    is no reverse mode, and central differences alone say what a derivative is."""

    gradient: np.ndarray | None
    note: str = ""
    error: float = 0.0
    singular: bool = False
    differences: bool = False

    @property
    def length(self) -> float:
        """‖gradient‖, which a gradient error is relative to; 0 where there is none."""
        return 0.0 if self.gradient is None else float(np.linalg.norm(self.gradient))


class Along:
    """The derivative of a float64 loss along directions, by central differences."""

    def __init__(self, exact: Any, value: Value) -> None:
        self._exact, self._value = exact, value
        self._leaves = [exact.numpy(one) for one in exact.leaves]
        self.theta = np.concatenate([one.ravel() for one in self._leaves])

    def difference(self, v: np.ndarray, h: float) -> float:
        """(L(θ + h v) − L(θ − h v))/2h."""
        return (self._at(self.theta + h * v) - self._at(self.theta - h * v)) / (2 * h)

    def slope(self, v: np.ndarray) -> tuple[float, float]:
        """The derivative along v, and how far it may be off: of neighbouring steps h the two that agree best."""
        size = (float(np.linalg.norm(self.theta)) or 1.0) / float(np.linalg.norm(v))
        found = [self.difference(v, h * size) for h in sorted(STEPS)]
        apart = [abs(one - other) for one, other in pairwise(found)]
        best = int(np.nanargmin(apart)) if np.isfinite(apart).any() else 0
        return found[best + 1], apart[best]

    def changed(self, v: np.ndarray, h: float) -> list[str]:
        """Paths of the leaves that the model changes in place at θ + h v or θ − h v."""
        found = [path for sign in (h, -h) for path in self._exact.changes(self._moved(self.theta + sign * v))]
        return list(dict.fromkeys(found))

    def _at(self, theta: np.ndarray) -> float:
        return float(self._value(self._moved(theta)))

    def _moved(self, theta: np.ndarray) -> list[Any]:
        ends = np.cumsum([one.size for one in self._leaves])[:-1]
        pieces = zip(np.split(theta, ends), self._leaves, strict=True)
        return self._exact.with_leaves([piece.reshape(one.shape) for piece, one in pieces])


def reference(question: Question, framework: Any, taken: Any, K: int) -> Reference:
    """The gradient of the same model in float64.

    framework: as in ``bench.frameworks``. taken: the model in its own dtype. K: steps of its solve; the one in float64
    takes at most ``LONGEST`` times as many. Never raises for what the model does: the note says it.
    """
    try:
        with doubled(framework):
            with _saying(NOT_DOUBLE):
                exact = model(question, double=True, one_sample=taken.one_sample, in_reals=True)
            with _saying("its float64 gradient fails"):
                found, value, z = exact.holding(lambda: _computed(question, framework, exact, LONGEST * K))
            if found.gradient is None:
                return found
            with _saying("its float64 loss fails where its arrays are rounded"):
                rounded = spread(lambda near, z: exact.value(near.leaves, z), exact, taken.dtype, value, z)
        with _saying(f"the model in {taken.dtype} cannot be held against float64"):
            return _alike(found, taken, value, rounded, z)
    except _Unknown as unknown:
        return Reference(None, f"No gradient error: {unknown}.")
    except Unsuitable as error:
        return Reference(None, f"No gradient error: in float64, {error}")


NOT_DOUBLE = "the model does not run in float64"
IS_SINGULAR = "I − J is singular, or as good as"
UNDERIVED = "it has a detach, a custom rule, a kink, or a cast to a smaller dtype"
NO_DIFFERENCES = "the central differences of its float64 loss fail"


class _Unknown(Exception):
    """What failed on the way to a reference."""


@contextmanager
def _saying(what: str) -> Iterator[None]:
    """``_Unknown`` with what failed, in place of an error of the model's own."""
    try:
        yield
    except (Unsuitable, _Unknown):
        raise
    except Exception as error:
        raise _Unknown(f"{what} ({_first_line(error)})") from error


def _alike(found: Reference, taken: Any, value: float, rounded: float, z: np.ndarray | None) -> Reference:
    """The reference, where the model in its own dtype is the same one: its loss, and its step at the fixed point."""
    tolerance = UNLIKE.get(taken.dtype, COARSE)
    own, theta = taken.value(taken.leaves, z), [taken.numpy(one) for one in taken.leaves]
    assert found.gradient is not None
    slope = float(np.linalg.norm(found.gradient)) * sum(float(np.linalg.norm(one)) for one in theta)
    if not abs(value - own) <= tolerance * (0.01 * slope + max(abs(value), abs(own))) + SPREADS * rounded:
        return Reference(
            None,
            f"No gradient error: {_differ(value, own)}: it depends on the dtype, as random draws do.",
        )
    if z is not None:
        step, at = taken.apply(), taken.numpy(taken.state(z))
        if not (left := residual(at, step(at), shortest(step, taken.numpy(taken.rest["z0"])))) <= tolerance:
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
    if not question.implicit:
        with _saying(NOT_DOUBLE):
            own = float(exact.value(exact.leaves))
        try:
            with missing_modes():
                found, _ = derived(question, framework, exact, most)
        except Unsuitable:
            raise
        except Exception as error:
            missing = isinstance(error, NotApplicable)  # each method's row says which
            why = "the model has no reverse mode" if missing else f"its float64 gradient fails ({_first_line(error)})"
            with _saying(NO_DIFFERENCES):
                return _differences(Along(exact, exact.value), why), own, None
        assert found is not None
        with _saying(NO_DIFFERENCES):
            return _checked(found, Along(exact, exact.value), 0.0), own, None

    with _saying(NOT_DOUBLE):
        start = exact.numpy(exact.rest["z0"])
        z, left = settled(exact.apply(), start, most)
        own = float(exact.value(exact.leaves, z))
        # Where z* = 0 the loss and its derivative may vanish, to the rounding of a start that was of length 1.
        least = VANISHES * abs(exact.value(exact.leaves, start))

    def at_its_end(leaves: list[Any]) -> float:
        near, _ = settled(exact.apply(leaves), z, most)
        return float(exact.value(leaves, near))

    def implicit() -> Reference:
        try:
            found, note = derived(question, framework, exact, most, (z, left))
        except Unsuitable:
            raise
        except Exception as error:
            return Reference(None, f"No gradient error: the float64 backward solve fails ({_first_line(error)}).")
        if found is None:
            return Reference(None, note)
        with _saying(NO_DIFFERENCES):
            return _checked(found, Along(exact, at_its_end), least)

    if left > question.residual_tol:
        return implicit(), own, z
    singular = abs(_estimated(nearest_to_one, exact, z) - 1) <= SINGULAR
    words = f"ρ(J) ≈ {_estimated(spectral_radius, exact, z).real:.4g}" + f": {IS_SINGULAR}" * singular
    order = [implicit, lambda: _unrolled(question, framework, exact, most, least, words)]
    if singular:
        order.reverse()
    first = order[0]()
    second = order[1]() if first.gradient is None and "zero" not in first.note else first
    return replace(second if second.gradient is not None else first, singular=singular), own, z


def _unrolled(question: Question, framework: Any, exact: Any, most: int, least: float, words: str) -> Reference:
    """The gradient of a solve unrolled until more steps change nothing. words: on ρ(J)."""
    found = unrolled(question, framework, exact, most)
    if found is None:
        return Reference(
            None, f"No gradient error: {words}, and the gradient of the unrolled solve goes on changing with its steps."
        )

    def after(leaves: list[Any]) -> float:
        step, at = exact.apply(leaves), exact.numpy(exact.rest["z0"])
        for _ in range(found.steps):
            at = step(at)
        return float(exact.value(leaves, at))

    checked = _checked(found.gradient, Along(exact, after), least)
    if checked.gradient is None:
        return checked
    note = f"{words}; the reference is unrolled in float64, {found.steps} steps."
    return replace(checked, note=note, error=found.error)


def _estimated(estimate: Callable[..., complex], exact: Any, z: np.ndarray) -> complex:
    """What of J's eigenvalues at z; NaN where J cannot be applied."""
    try:
        return estimate(exact.push(z), z)
    except Exception:  # an operation without the derivative that an estimate takes
        return complex("nan")


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: " + without_paths((str(error).strip().splitlines() or [""])[0])


def _checked(found: np.ndarray, along: Along, least: float) -> Reference:
    """The gradient, once it is the derivative along three directions; one of ``least`` or less is zero."""
    theta = along.theta
    if not np.linalg.norm(found) * np.linalg.norm(theta) > least and not np.linalg.norm(found) > least:
        return Reference(None, "No gradient error: the gradient is zero.")
    rng = np.random.default_rng(0)
    for _ in range(3):
        v = rng.normal(size=theta.size)
        v *= (np.linalg.norm(theta) or 1.0) / np.linalg.norm(v)
        slope = float(found @ v)
        scale = abs(slope) + np.linalg.norm(found) * np.linalg.norm(v) / np.sqrt(theta.size)
        missed = np.inf
        for h in STEPS:
            missed = min(missed, abs(along.difference(v, h) - slope) / scale)
            if missed <= AGREES:
                break
        else:
            changed = along.changed(v, STEPS[0])
            why = f"it changes {listed(changed)} in place when it runs" if changed else UNDERIVED
            words = f"the model's float64 derivative is {missed:.1g} away from central differences of its loss"
            return Reference(None, f"No gradient error: {words}: {why}.")
    return Reference(found)


def _differences(along: Along, why: str) -> Reference:
    """The gradient by central differences, one parameter after another; no gradient where there are too many. why: what
    keeps the model from having a float64 gradient, a clause."""
    size = along.theta.size
    if size > FEW:
        note = f"No gradient error: {why}, and {size} parameters are too many for differences."
        return Reference(None, note, differences=True)
    found, apart = zip(*(along.slope(v) for v in np.eye(size)), strict=True)
    length, off = float(np.linalg.norm(found)), float(np.linalg.norm(apart))
    if not length > 0 or not off <= AGREES * length:
        return Reference(None, f"No gradient error: {why}, and central differences of its loss do not settle.")
    note = f"The reference is central differences of the float64 loss: {why}."
    return Reference(np.array(found), note, off / length, differences=True)
