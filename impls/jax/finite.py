"""A loss or gradient that is no number is an error, said in one sentence."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from impls.jax import ops


def require_finite(value: Any, grads: ops.Tree) -> None:
    """``FloatingPointError`` for a loss or gradient with NaN or infinity in it. Waits for the device."""
    if not bool(jnp.isfinite(value).all()):
        raise FloatingPointError(f"The loss is {float(value)}: the forward solve diverged or the input is bad.")
    if not all(bool(jnp.isfinite(leaf).all()) for leaf in ops.leaves(grads)):
        raise FloatingPointError(
            "The loss is finite and its gradient is not: I − J is singular, or the backward solve missed its "
            "tolerance; give it more steps, or another linear solver."
        )
