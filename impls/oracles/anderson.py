"""Anderson's next state, from all states and images so far, by an orthogonal factorisation of each sample's window."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from impls.oracles.types import Array

MEMORY, RIDGE = 5, 1e-6
"""The defaults of the solvers; no cell sets others."""


def mixed(states: Sequence[Array], images: Sequence[Array], memory: int = MEMORY, ridge: float = RIDGE) -> Array:
    """f_k − Σ_i γ_i Δf_i, γ = argmin ‖r_k − Σ_i γ_i Δr_i‖² + ridge · Σ_i γ_i² ‖Δr_i‖², over the last differences."""
    recent = range(max(0, len(images) - memory - 1), len(images))
    f = np.stack([images[k].reshape(len(images[k]), -1) for k in recent], 1)
    r = f - np.stack([states[k].reshape(len(states[k]), -1) for k in recent], 1)
    return np.stack([_one(*pair, ridge) for pair in zip(r, f, strict=True)]).reshape(images[-1].shape)


def _one(r: Array, f: Array, ridge: float) -> Array:
    """Of one sample, with its residuals and images as rows; γ is that of differences of length 1."""
    dr, df = np.diff(r, axis=0), np.diff(f, axis=0)
    length = np.linalg.norm(dr, axis=1, keepdims=True)
    dr, df = (rows[length[:, 0] > 0] / length[length[:, 0] > 0] for rows in (dr, df))
    if not len(dr):
        return f[-1]
    penalty = np.sqrt(ridge) * np.eye(len(dr))
    gamma = np.linalg.lstsq(np.concatenate([dr.T, penalty]), np.concatenate([r[-1], np.zeros(len(dr))]), rcond=None)[0]
    return f[-1] - gamma @ df
