"""Losses at a fixed point: loss(params, batch, fixed_point=...) -> (value, Solution).

What depends on the data only is computed once, outside step, and enters it as an argument.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from impls.torch import ops
from impls.torch.solvers import Solution, State
from impls.torch.types import FixedPoint

Batch = Mapping[str, Tensor]


def half_square(z: Float[Tensor, "b n"], y: Float[Tensor, "b n"]) -> Float[Tensor, ""]:
    """½‖z − y‖²/batch."""
    return 0.5 * (z - y).square().sum() / len(z)


def linear_step(z: State, args: tuple[Tensor, Tensor]) -> State:
    """R(z; A, xB) = z A + x B."""
    A, xB = args
    return ops.matmul(z, A) + xB


def linear(params: ops.Tree, batch: Batch, *, fixed_point: FixedPoint) -> tuple[Tensor, Solution]:
    """½‖z* − y‖²/batch at z* = z* A + x B."""
    xB = ops.matmul(batch["x"], params["B"])
    found = fixed_point(linear_step, torch.zeros_like(xB), (params["A"], xB))
    return half_square(found.value, batch["y"]), found


def tanh_step(z: State, args: tuple[Tensor, Tensor]) -> State:
    """R(z; W, xU) = tanh(z W + x U)."""
    W, xU = args
    return torch.tanh(ops.matmul(z, W) + xU)


def tanh(params: ops.Tree, batch: Batch, *, fixed_point: FixedPoint) -> tuple[Tensor, Solution]:
    """½‖z* − y‖²/batch at z* = tanh(z* W + x U)."""
    xU = ops.matmul(batch["x"], params["U"])
    found = fixed_point(tanh_step, torch.zeros_like(xU), (params["W"], xU))
    return half_square(found.value, batch["y"]), found


def fpn_step(u: State, args: tuple[Tensor, Tensor]) -> State:
    """R(u; W, q) = tanh(u ∗ W + q), circular convolution."""
    W, q = args
    return torch.tanh(ops.conv2d(u, W, circular=True) + q)


def encode(params: ops.Tree, images: Float[Tensor, "b h w 1"]) -> State:
    """Q(d): Q1, then max pooling where images are larger than 8 × 8 by a factor, then tanh and Q2, and so on.

    Pooling before tanh gives what pooling after it would, since tanh is monotone.
    """
    q, factor = ops.conv2d(images, params["Q1"]), images.shape[1] // 8
    if factor > 1:
        q = ops.max_pool(q, factor)
    for k in range(2, len(params) - 1):  # R and S are no part of it
        q = ops.conv2d(torch.tanh(q), params[f"Q{k}"])
    return q


def fpn(params: ops.Tree, batch: Batch, *, fixed_point: FixedPoint) -> tuple[Tensor, Solution]:
    """Cross-entropy of S(u*), u* = R(u*, Q(d)), Q convolutions with tanh between."""
    q = encode(params, batch["x"])
    found = fixed_point(fpn_step, torch.zeros_like(q), (params["R"], q))
    logits = ops.matmul(found.value.reshape(len(q), -1), params["S"])
    return ops.cross_entropy(logits, batch["y"]), found


IMPLICIT: dict[str, Any] = {
    "linear": linear,
    "tanh": tanh,
    "newton": tanh,
    "fpn": fpn,
}
