"""Each problem's loss. An implicit one takes the fixed point function that it is to use as an argument.

Matmuls and convolutions go through ``ops`` alone. What depends on the data only is computed once, outside step.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from impls.names import pick
from impls.torch import ops
from impls.torch.solvers import Solution, State
from impls.torch.types import FixedPoint, Loss

Batch = Mapping[str, Tensor]


def mlp(params: ops.Tree, batch: Batch) -> tuple[Tensor, tuple[()]]:
    """Cross-entropy of x W₁ + b₁ → ReLU → … → x W_L + b_L."""
    x = batch["x"]
    for layer in params[:-1]:
        x = torch.relu(ops.matmul(x, layer["W"]) + layer["b"])
    return ops.cross_entropy(ops.matmul(x, params[-1]["W"]) + params[-1]["b"], batch["y"]), ()


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


def fpn(params: ops.Tree, batch: Batch, *, fixed_point: FixedPoint) -> tuple[Tensor, Solution]:
    """Cross-entropy of S(u*), u* = R(u*, Q(d)), Q two convolutions with tanh between."""
    q = ops.conv2d(torch.tanh(ops.conv2d(batch["x"], params["Q1"])), params["Q2"])
    found = fixed_point(fpn_step, torch.zeros_like(q), (params["R"], q))
    logits = ops.matmul(found.value.reshape(len(q), -1), params["S"])
    return ops.cross_entropy(logits, batch["y"]), found


LOSSES: dict[str, Any] = {"mlp": mlp, "linear": linear, "tanh": tanh, "newton": tanh, "fpn": fpn}


def loss(problem: str, fixed_point: FixedPoint | None = None) -> Loss:
    """The loss of a problem, with the fixed point function of an implicit one bound."""
    found = pick("problem", problem, LOSSES)
    return partial(found, fixed_point=fixed_point) if fixed_point else found
