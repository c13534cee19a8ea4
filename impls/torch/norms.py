"""Norms of batches: one number a sample, over all its other axes.

Squares overflow and underflow long before numbers do, in float32 beyond 1e±19: what may have any scale is divided by
its ``sizes`` first.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def sample_norms(x: Float[Tensor, "b *n"]) -> Float[Tensor, " b"]:
    """Euclidean norm of each sample, of an x whose squares are in range."""
    return torch.linalg.vector_norm(x.flatten(1), dim=1)


def largest_ratio(x: Float[Tensor, "b *n"], y: Float[Tensor, "b *n"], *, spare: bool = False) -> Float[Tensor, ""]:
    """The largest over samples of ‖x‖/‖y‖, whatever their scale; 0 for 0/0. spare: x may be overwritten."""
    size = sizes(y)
    part = sample_norms(x.div_(size) if spare else x / size)
    del x  # where nobody else holds it, its memory is there for y
    return torch.where(part > 0, part / sample_norms(y / size), part).max()


def dots(x: Float[Tensor, "b *n"], y: Float[Tensor, "b *n"]) -> Float[Tensor, "b *n"]:
    """x·y of each sample, shaped to scale states."""
    return (x * y).flatten(1).sum(1).view(-1, *[1] * (x.ndim - 1))


def widened(x: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """x itself, or in float32 where it has fewer digits: no factorisation takes bfloat16 or float16."""
    return x.float() if torch.finfo(x.dtype).bits < 32 else x


def sizes(x: Float[Tensor, "b *n"]) -> Float[Tensor, "b *n"]:
    """Largest absolute entry of each sample, or the least normal number; shaped to scale states."""
    largest = torch.linalg.vector_norm(x.flatten(1), torch.inf, dim=1)
    return largest.clamp(min=torch.finfo(x.dtype).tiny).view(-1, *[1] * (x.ndim - 1))
