"""The state of a fixed point: whether its samples are independent, and how strongly a step contracts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Map = Callable[[np.ndarray], np.ndarray]

MIXED = 1e-4
"""Part of the largest entry by which a sample moves when another one was changed, above which step mixes them."""

PRODUCTS = 40
"""Products with J in an estimate of its spectral radius; the first half only turns the start towards the largest."""


def mixes(step: Map, z: np.ndarray) -> bool:
    """Whether samples (axis 0) of step's result depend on other samples, as with batch norm or on a graph.

    Solvers take samples as independent systems, so such a state is theirs as a single sample.
    """
    if len(z) < 2:
        return False
    z = step(z)
    moved = z.copy()
    moved[0] += (1 + np.abs(z[0]).max()) * np.random.default_rng(0).normal(size=z[0].shape)
    before, after = step(z)[1:], step(moved)[1:]
    scale = np.abs(before).max()
    return bool(np.isfinite(scale) and np.abs(after - before).max() > MIXED * scale)


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


def residual(z: np.ndarray, fz: np.ndarray) -> float:
    """The largest over samples of ‖step(z) − z‖/‖z‖."""
    tiny = np.finfo(z.dtype).tiny
    with np.errstate(over="ignore", invalid="ignore"):  # from z = 0 on, any step is infinitely long
        moved, size = (np.linalg.norm(one.reshape(len(one), -1), axis=1) for one in (fz - z, z))
        return float((moved / np.maximum(size, tiny)).max())
