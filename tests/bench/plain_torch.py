"""Frozen plain torch: nothing of ``impls``, so that what the instruments say of it moves only when torch moves.

The net is x ← tanh(x W_l), the fixed point z = tanh(z W + q) with q = x U computed once, and both losses are the mean
square of the last state. float32; the data need no gradient.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.autograd.forward_ad as fwd
from torch import Tensor

WIDTH, BATCH = 64, 256
ADJOINT_STEPS = 20


def draw(*shape: int, device: str = "cpu") -> Tensor:
    """Numbers that keep tanh away from saturation; on ``meta`` a shape alone."""
    if device == "meta":
        return torch.empty(shape, device=device)
    return torch.randn(shape, generator=torch.Generator().manual_seed(0)) / shape[-1] ** 0.5


def leaves(weights: list[Tensor]) -> list[Tensor]:
    """Copies that require a gradient."""
    return [weight.detach().clone().requires_grad_() for weight in weights]


def mean_square(x: Tensor) -> Tensor:
    return (x * x).mean()


def net(weights: list[Tensor], x: Tensor) -> Tensor:
    """The loss of the net, one matmul and one tanh a layer."""
    for weight in weights:
        x = torch.tanh(x @ weight)
    return mean_square(x)


def backprop(weights: list[Tensor], x: Tensor) -> Any:
    """Reverse mode, as a training script calls it."""
    return torch.autograd.grad(net(weights, x), weights)


def func_grad(weights: list[Tensor], x: Tensor) -> Any:
    """The same gradient by ``torch.func.grad``, which records a graph of its own backward pass."""
    return torch.func.grad(net)(weights, x)


def func_jvp(weights: list[Tensor], x: Tensor, tangents: list[Tensor]) -> Any:
    """Forward gradient (∇L·v) v by ``torch.func.jvp``."""
    _, slope = torch.func.jvp(lambda weights: net(weights, x), (weights,), (tangents,))
    return [slope * tangent for tangent in tangents]


def dual_jvp(weights: list[Tensor], x: Tensor, tangents: list[Tensor]) -> Any:
    """Forward gradient by dual numbers."""
    with fwd.dual_level():
        duals = [fwd.make_dual(weight, tangent) for weight, tangent in zip(weights, tangents, strict=True)]
        _, slope = fwd.unpack_dual(net(duals, x))
    return [slope * tangent for tangent in tangents]


def step(z: Tensor, w: Tensor, q: Tensor) -> Tensor:
    """R(z) = tanh(z W + q)."""
    return torch.tanh(z @ w + q)


def solve(K: int, w: Tensor, q: Tensor) -> Tensor:
    """z_K from z₀ = 0."""
    z = torch.zeros_like(q)
    for _ in range(K):
        z = step(z, w, q)
    return z


def unrolled(K: int, weights: list[Tensor], x: Tensor) -> Any:
    """Reverse mode through all K steps."""
    w, u = weights
    q = x @ u
    return torch.autograd.grad(mean_square(solve(K, w, q)), weights)


def jfb(K: int, weights: list[Tensor], x: Tensor) -> Any:
    """Reverse mode through the last step alone, after K − 1 that record nothing."""
    w, u = weights
    q = x @ u
    with torch.no_grad():
        z = solve(K - 1, w, q)
    return torch.autograd.grad(mean_square(step(z, w, q)), weights)


class Implicit(torch.autograd.Function):
    """z_K with the derivative of the fixed point: its adjoint by Picard steps, linearised at z_K."""

    @staticmethod
    def forward(ctx: Any, K: int, w: Tensor, q: Tensor) -> Tensor:
        z = solve(K, w, q)
        ctx.save_for_backward(z, w)
        return z

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        z, w = ctx.saved_tensors
        slope = 1 - z * z
        adjoint = g
        for _ in range(ADJOINT_STEPS):
            adjoint = g + (adjoint * slope) @ w.T
        adjoint = adjoint * slope
        return None, z.T @ adjoint, adjoint


def ift(K: int, weights: list[Tensor], x: Tensor) -> Any:
    """The implicit function theorem; nobody keeps q, which the adjoint does not need."""
    w, u = weights
    return torch.autograd.grad(mean_square(Implicit.apply(K, w, x @ u)), weights)
