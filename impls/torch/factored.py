"""A tangent of rank one for a weight, which is drawn, multiplied with and stepped along at the cost of two vectors.

    V = a ⊗ b,   V_{ij} = a_i b_j,   x V = (x a) b

i runs over all axes of the weight but the last, j over its outputs. Source: perturbations of low rank as in LOZO, Chen
et al. 2024, arXiv:2410.07698, there for differences of losses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

Bilinear = Callable[[Tensor, Tensor], Tensor]
"""op(x, w), linear in both, with the outputs of w on the last axis: a matrix product or a convolution."""


@dataclass(frozen=True)
class Factored:
    """a ⊗ b. a: as the weight without its last axis. b: (o,)."""

    a: Float[Tensor, "*m"]
    b: Float[Tensor, " o"]

    @property
    def shape(self) -> tuple[int, ...]:
        """That of the weight."""
        return (*self.a.shape, *self.b.shape)

    def dense(self) -> Float[Tensor, "*m o"]:
        """The array itself. Cost: one pass over it."""
        return self.a[..., None] * self.b

    def scaled(self, s: float | Tensor) -> Factored:
        """s·V, for a number s."""
        return Factored(self.a, self.b * s)

    def through(self, op: Bilinear, x: Tensor) -> Tensor:
        """op(x, V). Cost: an op with a single output, and one pass over the result."""
        return op(x, self.a[..., None]) * self.b

    def descended(self, w: Tensor) -> Tensor:
        """w − V in one pass over w."""
        rows = w.reshape(-1, w.shape[-1])
        return torch.addr(rows, self.a.reshape(-1), self.b, alpha=-1).view(w.shape)
