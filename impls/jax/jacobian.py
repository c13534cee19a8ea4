"""Products with the Jacobian of a step, linearised once and applied many times."""

from __future__ import annotations

from collections.abc import Callable

import jax
from jax import Array
from jaxtyping import Float

State = Float[Array, "b *n"]
LinearMap = Callable[[State], State]


def push_forward(f: Callable[[State], State], z: State, *, differentiable: bool = False) -> tuple[State, LinearMap]:
    """f(z) and v ↦ J(z) v, by ``jax.linearize``: after one setup each product costs what f's products do.

    In jax both are always differentiable; the keyword is there for the twin.
    """
    del differentiable
    return jax.linearize(f, z)
