"""The state of a fixed point: whether its samples are independent, how strongly a step contracts, whether a solve ends.

All of it is numpy: ``step`` maps a state, ``push`` is v ↦ J v.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil, isfinite, isnan, log
from typing import Any

import numpy as np

from bench.failures import Diverged
from bench.instruments.accuracy import largest_ratio, sample_norms
from bench.own.nest import eps

Map = Callable[[np.ndarray], np.ndarray]

MIXED = 1e-4
"""Part of the largest entry by which a sample moves when another one was changed, above which step mixes them."""

PRODUCTS = 40
"""Products with J in an estimate of its spectral radius; the first half only turns the start towards the largest."""


DENSE = 64
"""The longest state whose J is formed for its eigenvalues."""

SMALL = 1e-3
"""Part of the start's length below which a state is as good as 0."""


def mixes(step: Map, z: np.ndarray) -> bool:
    """Whether samples (axis 0) of step's result depend on other samples, as with batch norm or on a graph.

    Half of the samples are moved, and the others watched. The halves are the bits of a sample's number, set or not, so
    every pair of samples is told apart in both directions, after 2 log₂ n applications. Solvers take samples as
    independent systems, so a state whose samples mix is theirs as a single sample.
    """
    if len(z) < 2:
        return False
    z = step(z)
    before, number, rng = step(z), np.arange(len(z)), np.random.default_rng(0)
    scale = np.abs(before).max()
    if not np.isfinite(scale):
        return False
    away = (1 + np.abs(z).max()) * rng.normal(size=z.shape)
    for bit in range((len(z) - 1).bit_length()):
        for moved in (number >> bit & 1 == 1, number >> bit & 1 == 0):
            change = np.inf
            for size in (1.0, 1e-2):  # the smaller one where the larger leaves the numbers
                start = z.copy()
                start[moved] += (size * away[moved]).astype(z.dtype)
                change = np.abs(step(start)[~moved] - before[~moved]).max()
                if np.isfinite(change):
                    break
            if np.isfinite(change) and change > MIXED * scale:
                return True
    return False


def last_finite(step: Map, z: np.ndarray, steps: int) -> np.ndarray:
    """The state after so many steps, or the last one before it left the numbers that can still be linearised at."""
    largest = 1e6 * (1 + np.abs(z).max())
    for _ in range(steps):
        following = step(z)
        if not np.isfinite(following).all() or np.abs(following).max() > largest:
            break
        z = following
    return z


def spectral_radius(push: Map, like: np.ndarray) -> float:
    """ρ(J) of push(v) = J v, an estimate: the mean growth of ‖Jᵐ v‖ over the later half of ``PRODUCTS`` powers.

    A mean over many powers holds for complex pairs too, whose single growth factors swing.
    """
    v = np.random.default_rng(0).normal(size=like.shape)
    growth = []
    for _ in range(PRODUCTS):
        v = push(v / np.linalg.norm(v))
        norm = float(np.linalg.norm(v))
        if not np.isfinite(norm) or norm == 0:
            return norm
        growth.append(norm)
    return float(np.exp(np.mean(np.log(growth[PRODUCTS // 2 :]))))


def nearest_to_one(push: Map, like: np.ndarray) -> complex:
    """The eigenvalue of J with the largest real part, of push(v) = J v: of a contraction the one that is nearest to 1.

    Arnoldi's method, restarted (ARPACK): unlike a few powers of J it tells an eigenvalue of 1 from one of 0.9995. NaN
    where it does not settle, or where J cannot be applied.
    """
    from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigs

    size = like.size

    def flat(v: np.ndarray) -> np.ndarray:
        return np.asarray(push(v.reshape(like.shape).astype(like.dtype)), float).ravel()

    if size <= DENSE:
        matrix = np.stack([flat(one) for one in np.eye(size)], -1)
        found = np.linalg.eigvals(matrix) if np.isfinite(matrix).all() else np.array([np.nan])
    else:
        operator, start = LinearOperator((size, size), matvec=flat, dtype=float), np.random.default_rng(0)
        try:
            found = eigs(operator, k=1, which="LR", v0=start.normal(size=size), return_eigenvectors=False)
        except ArpackNoConvergence as error:
            found = error.eigenvalues if len(error.eigenvalues) else np.array([np.nan])
    return complex(found[np.argmax(found.real)])


def residual(z: np.ndarray, fz: np.ndarray, least: float = 0.0) -> float:
    """The largest over samples of ‖step(z) − z‖/‖z‖, where a z shorter than ``least`` counts as that long."""
    with np.errstate(over="ignore", invalid="ignore"):
        return largest_ratio(fz - z, z, least)  # from z = 0 on, any step is infinitely long


def shortest(step: Map, z0: np.ndarray) -> float:
    """The length below which a state counts as 0: a part ``SMALL`` of the start or of its image, the longest sample.

    A fixed point z* = 0 has no relative residual: every step of a contraction halves z, say, and never ends.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        found = SMALL * max(float(sample_norms(z0).max()), float(sample_norms(step(z0)).max()))
    return found if np.isfinite(found) else 0.0


# Whether a solve ends -------------------------------------------------------------------------------------------


class Singular(Diverged):
    """A dense solve has no solution."""


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
