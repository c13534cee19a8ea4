"""Losses with their derivatives."""

from __future__ import annotations

import numpy as np

from impls.oracles.types import Array


def cross_entropy(logits: Array, labels: Array) -> tuple[float, Array]:
    """Mean of −log softmax(logits)[label], and its derivative by the logits."""
    shifted = logits - logits.max(1, keepdims=True)
    p = np.exp(shifted) / np.exp(shifted).sum(1, keepdims=True)
    rows = np.arange(len(labels))
    value = -(shifted[rows, labels] - np.log(np.exp(shifted).sum(1))).mean()
    p[rows, labels] -= 1
    return float(value), p / len(labels)
