"""Whether a model can be measured at all: one value for the same arrays, and a solve that converges."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil, isfinite, isnan, log
from typing import Any

import numpy as np

from bench.failures import Diverged
from bench.own.question import Unsuitable
from bench.own.rounding import eps
from bench.own.state import last_finite, spectral_radius


class Singular(Diverged):
    """A dense solve has no solution."""


SAME = 1e-3
"""How far the loss of a gradient call may be from that of a forward, relative to it or, where it cancels, to a tenth of
‖g‖‖θ‖: both run the same operations, but not always through the same kernels. New random numbers change it by more."""


def require_same(first: np.ndarray, second: np.ndarray, tolerance: float = 0.0) -> None:
    """``Unsuitable`` where two losses of the same arrays differ: in any bit, or by more than ``tolerance``."""
    if np.array_equal(first, second, equal_nan=True) or abs(float(first) - float(second)) <= tolerance:
        return
    raise Unsuitable(
        "loss gives {} and then {} for the same arrays: switch dropout off (model.eval()) or fix its seed, and let no "
        "call depend on the one before.".format(*apart(float(first), float(second)))
    )


def apart(first: float, second: float) -> tuple[str, str]:
    """Two numbers in as few digits as tell them apart."""
    short = f"{first:.2g}", f"{second:.2g}"
    return short if short[0] != short[1] else (repr(first), repr(second))


def require_solved(residual: float, tol: float, K: int, solver: str, measured: Callable[[], float]) -> None:
    """``Diverged`` where the forward solve left more than ``tol``. measured: gives ρ(J) where it ended, or NaN."""
    if isfinite(residual) and residual <= tol:
        return
    radius = measured()
    left = f"a residual of {residual:.2g}, more than {tol:g}," if isfinite(residual) else "no finite residual"
    words = f"The solve has {left} after K = {K} steps"
    if isnan(radius):
        raise Diverged(f"{words} of {solver}: scale the weights of step down, or raise K.")
    if solver != "picard":
        raise Diverged(f"{words} of {solver} (ρ(J) ≈ {radius:.2g}): raise K, or take another solver.")
    if not radius < 1:
        raise Diverged(
            f"{words}: step does not contract at z (ρ(J) ≈ {radius:.2g}); scale its weights down, or take the solver "
            "newton or anderson."
        )
    if not isfinite(residual):
        raise Diverged(f"{words}, though step contracts at z (ρ(J) ≈ {radius:.2g}): look for a NaN in step.")
    if radius**K < 1e-2 * tol:  # a contraction of that rate would long have settled
        raise Diverged(
            f"{words}: its iterates go round in a cycle, where step contracts (ρ(J) ≈ {radius:.2g}); scale its weights "
            "down, or take the solver newton or anderson."
        )
    more = K + ceil(log(residual / tol) / -log(radius)) if 0 < radius < 1 else K + 1
    raise Diverged(f"{words}: step contracts, but slowly (ρ(J) ≈ {radius:.2g}); raise K to {max(more, K + 1)} or more.")


@contextmanager
def regular() -> Iterator[None]:
    """``Singular`` for torch's error at a singular I − J, which jax meets with numbers that are not finite."""
    from impls.checks import singular

    try:
        yield
    except Exception as error:
        if not str(error).startswith(singular(0).partition(" at ")[0]):
            raise
        raise Singular(str(error)) from None


def require_regular(model: Any, K: int) -> None:
    """``Singular`` where I − J has no inverse, to the rounding of the model's dtype, where K Picard steps end."""
    from impls.checks import singular

    z = last_finite(model.apply(), model.numpy(model.rest["z0"]), K)
    n, push = z[0].size, model.push(z)
    columns = [push(np.broadcast_to(one.reshape(z[0].shape), z.shape).astype(z.dtype)) for one in np.eye(n)]
    matrices = np.eye(n) - np.stack([one.reshape(len(z), n) for one in columns], -1).astype(np.float64)
    ranks = np.linalg.matrix_rank(matrices, rtol=n * eps(model.dtype)) if np.isfinite(matrices).all() else [n] * len(z)
    for sample, rank in enumerate(ranks):
        if rank < n:
            raise Singular(singular(sample))


def radius_of(model: Any, K: int) -> float:
    """ρ(J) of a model's step where K Picard steps end, or where they leave the numbers."""
    z = last_finite(model.apply(), model.numpy(model.rest["z0"]), K)
    return spectral_radius(model.push(z), z)
