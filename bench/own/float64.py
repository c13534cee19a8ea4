"""The gradient of a model in float64: backprop, the implicit function theorem at a fixed point solved to the end, or,
where that is singular, unrolled differentiation until more steps change nothing; and what rounding the arrays of the
model to its own dtype changes.

Near a minimum a gradient is the small rest of large terms, and no float32 gradient is within 1e-3 of it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from bench.instruments import torch_calls
from bench.job import Binding
from bench.older import module
from bench.own.nest import eps, inexact
from bench.own.question import Question
from bench.own.state import residual, shortest

SOLVED, ACCEPTED = 1e-13, 1e-10
"""Residual that a float64 solve aims at, and the largest one that is taken where rounding lets it go no further."""

LONGEST = 50
"""Times as many steps as the method's a float64 solve may take."""

PATIENCE = 60
"""Evaluations without a smaller residual after which a solve has come to its end."""

FEW, SETTLED = 64, 1e-6
"""Steps that an unrolled reference begins with, doubled until twice as many change less than this part of it."""

MOST_BYTES = 1 << 30
"""Memory that the states of an unrolled reference may take."""


def derived(
    question: Question, framework: Any, exact: Any, most: int, solved: tuple[np.ndarray, float] | None = None
) -> tuple[np.ndarray | None, str]:
    """The gradient of a float64 model, or None and a note that says why. solved: the fixed point and its residual,
    where they are known already."""
    if not question.implicit:
        return _gradient(framework, exact, Binding(question.framework, "backprop")), ""
    z, left = solved or settled(exact.apply(), exact.numpy(exact.rest["z0"]), most)
    if not left <= ACCEPTED:
        return None, f"No gradient error: the float64 solve stops at a residual of {left:.2g}."
    refined = import_module(f"bench.own.{question.framework}_model").Refined(most)
    bound = Binding(question.framework, "ift")
    found = _gradient(framework, exact, bound, bound.fixed_point(refined, Known(exact.state(z))))
    if not np.isfinite(found).all():
        return None, f"No gradient error: the float64 backward solve misses {refined.tol:.0e}."
    return found, ""


@dataclass(frozen=True)
class Unrolled:
    """gradient: of the loss after so many Picard steps from the start. error: the part of it that half of them miss."""

    gradient: np.ndarray
    steps: int
    error: float


def unrolled(question: Question, framework: Any, exact: Any, most: int) -> Unrolled | None:
    """The gradient of a float64 solve unrolled, with as many steps as it takes for it to settle; None where it does
    not within ``most`` steps and ``MOST_BYTES`` of states: it grows with the steps, as where z* has no derivative."""

    def with_steps(count: int) -> np.ndarray:
        bound = Binding(question.framework, "unrolled", {"K": count})
        return _gradient(framework, exact, bound, bound.fixed_point())

    most = min(most, MOST_BYTES // (8 * max(exact.numpy(exact.rest["z0"]).nbytes, 1)))
    count, before = FEW, None
    while count <= max(most, FEW):
        found = with_steps(count)
        if not np.isfinite(found).all():
            return None
        if before is not None:
            missed = float(np.linalg.norm(found - before)) / (float(np.linalg.norm(found)) or 1.0)
            if missed <= SETTLED:
                return Unrolled(found, count, missed)
        count, before = 2 * count, found
    return None


@contextmanager
def doubled(framework: Any) -> Iterator[None]:
    """Inside it a float64 model can be made, and what the caller compiled runs as it was written."""
    with torch_calls.eager(), framework.double():
        yield


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
    least, best, since, short = np.inf, z, 0, shortest(step, z)
    for _ in range(most):
        following = step(z)
        if not np.isfinite(following).all():
            break
        left, z = residual(z, following, short), following
        since = 0 if left < least else since + 1
        if left < least:
            least, best = left, z
        if least <= SOLVED or since >= PATIENCE:
            break
    return best, least


def _gradient(framework: Any, exact: Any, bound: Binding, fixed_point: Any = None) -> np.ndarray:
    """The concatenated gradient of a float64 model's loss."""
    call, _ = framework.gradient(bound.value_and_grad(exact.loss(fixed_point)), exact.leaves, exact.rest)
    leaves = module(f"impls.{bound.framework}.ops").leaves(framework.sync(call())[1])
    found: np.ndarray = exact.flat(leaves)
    return found


# Rounding -------------------------------------------------------------------------------------------------------

DRAWS = 2
"""Random roundings of which the largest effect counts."""

COARSE = 0.3
"""Part by which a gradient or a loss may be off in dtypes of few digits (bfloat16, float16): rounding alone may cost
tenths."""

SPREADS = 3.0
"""How many times larger an error may be than what rounding the arrays once changes."""


def gradient_spread(question: Question, framework: Any, exact: Any, true: np.ndarray, dtype: str, most: int) -> float:
    """By which part of its length rounding the arrays to ``dtype`` changes the true gradient; 0 where that is not
    known. See ``spread``."""

    def value(near: Any, _: Any) -> np.ndarray:
        found, note = near.holding(lambda: derived(question, framework, near, most))
        if found is None:
            raise ArithmeticError(note)
        return found

    try:
        return spread(value, exact, dtype, true) / float(np.linalg.norm(true))
    except ArithmeticError:
        return 0.0


def spread(
    value: Callable[[Any, np.ndarray | None], Any], exact: Any, dtype: str, at: Any, z: np.ndarray | None = None
) -> float:
    """The largest ‖value(near, z near) − at‖ over ``DRAWS`` models whose floating arrays differ by ε of ``dtype``.

    exact: the model in float64, so that nothing else rounds. z: a state to be rounded with it. Every entry x becomes
    x (1 + ε n) with n from N(0, 1); frozen parameters and buffers of modules stay.
    """
    rng, found = np.random.default_rng(0), 0.0
    for _ in range(DRAWS):
        near = nearby(exact, eps(dtype), rng)
        moved = None if z is None else _rounded(z, eps(dtype), rng)
        found = max(found, float(np.linalg.norm(np.asarray(value(near, moved)) - at)))
    return found


def nearby(exact: Any, relative: float, rng: np.random.Generator) -> Any:
    """The model with every floating array changed by a relative ``part``, the start of a solve left as it is."""

    def changed(arrays: list[Any]) -> list[Any]:
        return [exact.like(_rounded(exact.numpy(one), relative, rng), one) if inexact(one) else one for one in arrays]

    near = copy.copy(exact)
    near.leaves = changed(exact.leaves)
    near.rest = exact.rest | {name: changed(exact.rest[name]) for name in ("held", "batch")}
    return near


def _rounded(one: np.ndarray, relative: float, rng: np.random.Generator) -> np.ndarray:
    if np.iscomplexobj(one):
        return _rounded(one.real, relative, rng) + 1j * _rounded(one.imag, relative, rng)
    return one * (1 + relative * rng.normal(size=one.shape))
