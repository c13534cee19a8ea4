"""How far one gradient is from another."""

from __future__ import annotations

import numpy as np


def error(g: np.ndarray, reference: np.ndarray) -> float:
    """‖g − g_ref‖/‖g_ref‖ over the concatenated gradient."""
    return float(np.linalg.norm(g - reference) / np.linalg.norm(reference))


def cosine(g: np.ndarray, reference: np.ndarray) -> float:
    """Cosine of the angle between two gradients."""
    return float(g @ reference / (np.linalg.norm(g) * np.linalg.norm(reference)))
