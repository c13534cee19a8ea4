"""What an implicit problem is to the oracles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Array = np.ndarray
Grads = dict[str, Array]


@dataclass(frozen=True)
class Implicit:
    """An implicit problem at its data. step(z) → (z', pull) with pull(g) → (gᵀ ∂R/∂z, gᵀ ∂R/∂args as a dict);
    encode(those) → the part of the parameter gradient that flows through args; loss(z) → (value, g, read-out part)."""

    z0: Array
    step: Callable[[Array], tuple[Array, Callable[[Array], tuple[Array, Grads]]]]
    encode: Callable[[Grads], Grads]
    loss: Callable[[Array], tuple[float, Array, Grads]]
