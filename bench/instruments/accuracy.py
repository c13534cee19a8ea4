"""How far one gradient is from another, and how far a solve is from its end."""

from __future__ import annotations

import numpy as np


def error(g: np.ndarray, reference: np.ndarray) -> float:
    """‖g − g_ref‖/‖g_ref‖ over the concatenated gradient."""
    return float(np.linalg.norm(g - reference) / np.linalg.norm(reference))


def cosine(g: np.ndarray, reference: np.ndarray) -> float:
    """Cosine of the angle between two gradients."""
    return float(g @ reference / (np.linalg.norm(g) * np.linalg.norm(reference)))


def largest_ratio(x: np.ndarray, y: np.ndarray, least: float = 0.0) -> float:
    """The largest over samples (axis 0) of ‖x‖/‖y‖, where a y shorter than ``least`` counts as that long.

    At any scale of either; 0 for 0/0, and infinite where y alone is 0.
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        above, below = sample_norms(x), np.maximum(sample_norms(y), least)
        return float(np.where(above == 0, 0 * below, above / below).max())


def sample_norms(x: np.ndarray) -> np.ndarray:
    """Euclidean norm of each sample, in float64; squares neither overflow nor underflow."""
    rows = np.asarray(x, np.float64).reshape(len(x), -1)
    size = np.abs(rows).max(1, keepdims=True)
    size = np.where((size > 0) & np.isfinite(size), size, 1.0)
    norms: np.ndarray = size[:, 0] * np.linalg.norm(rows / size, axis=1)
    return norms
