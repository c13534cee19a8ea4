"""Norms of batches: one number a sample, over all its other axes."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def sample_norms(x: Float[Tensor, "b *n"]) -> Float[Tensor, " b"]:
    """Euclidean norm of each sample."""
    return torch.linalg.vector_norm(x.flatten(1), dim=1)


def largest_ratio(x: Float[Tensor, "b *n"], y: Float[Tensor, "b *n"]) -> Float[Tensor, ""]:
    """The largest over samples of ‖x‖/‖y‖; 0 for 0/0."""
    tiny = torch.finfo(x.dtype).tiny
    return (sample_norms(x) / sample_norms(y).clamp(min=tiny)).max()


def dots(x: Float[Tensor, "b *n"], y: Float[Tensor, "b *n"]) -> Float[Tensor, "b *n"]:
    """x·y of each sample, shaped to scale states."""
    return (x * y).flatten(1).sum(1).view(-1, *[1] * (x.ndim - 1))


def sizes(x: Float[Tensor, "b *n"]) -> Float[Tensor, "b *n"]:
    """Largest absolute entry of each sample, or the least number above 0; shaped to scale states."""
    return x.flatten(1).abs().amax(1).clamp(min=torch.finfo(x.dtype).tiny).view(-1, *[1] * (x.ndim - 1))
