"""A tangent of rank one for a weight, which is drawn, multiplied with and stepped along at the cost of two vectors.

    V = a ⊗ b,   V_{ij} = a_i b_j,   x V = (x a) b

i runs over all axes of the weight but the last, j over its outputs. Source: perturbations of low rank as in LOZO, Chen
et al. 2024, arXiv:2410.07698, there for differences of losses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
from jax import Array
from jaxtyping import Float

Bilinear = Callable[[Array, Array], Array]
"""op(x, w), linear in both, with the outputs of w on the last axis: a matrix product or a convolution."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Factored:
    """a ⊗ b. a: as the weight without its last axis. b: (o,)."""

    a: Float[Array, "*m"]
    b: Float[Array, " o"]

    @property
    def shape(self) -> tuple[int, ...]:
        """That of the weight."""
        return (*self.a.shape, *self.b.shape)

    def dense(self) -> Float[Array, "*m o"]:
        """The array itself. Cost: one pass over it."""
        return self.a[..., None] * self.b

    def scaled(self, s: Array) -> Factored:
        """s·V, for a number s."""
        return Factored(self.a, self.b * s)

    def through(self, op: Bilinear, x: Array) -> Array:
        """op(x, V). Cost: an op with a single output, and one pass over the result."""
        return op(x, self.a[..., None]) * self.b

    def descended(self, w: Array) -> Array:
        """w − V in one pass over w."""
        return w - self.dense()  # fused: V is never written down
