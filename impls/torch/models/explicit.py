"""Losses that are computed outright: loss(params, batch) -> (value, ())."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from impls.torch import ops

Batch = Mapping[str, Tensor]


def mlp(params: ops.Tree, batch: Batch) -> tuple[Tensor, tuple[()]]:
    """Cross-entropy of x W₁ + b₁ → ReLU → … → x W_L + b_L."""
    x = batch["x"]
    for layer in params[:-1]:
        x = torch.relu(ops.matmul(x, layer["W"]) + layer["b"])
    return ops.cross_entropy(ops.matmul(x, params[-1]["W"]) + params[-1]["b"], batch["y"]), ()


def cnn(params: ops.Tree, batch: Batch) -> tuple[Tensor, tuple[()]]:
    """Cross-entropy of four convolutions with ReLU, pooled after every second one, and two dense layers."""
    x = batch["x"]
    for index, layer in enumerate(params[:4]):
        x = torch.relu(ops.conv2d(x, layer["W"]) + layer["b"])
        if index % 2:
            x = ops.max_pool(x, 2)
    return mlp(params[4:], {**batch, "x": x.reshape(len(x), -1)})


def beale(params: ops.Tree, batch: Batch) -> tuple[Tensor, tuple[()]]:
    """(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²."""
    x, y = params["xy"]
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2, ()


def rosenbrock(params: ops.Tree, batch: Batch) -> tuple[Tensor, tuple[()]]:
    """(1 − x)² + 100 (y − x²)²."""
    x, y = params["xy"]
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2, ()


EXPLICIT: dict[str, Any] = {
    "mlp": mlp,
    "logistic": mlp,
    "cnn": cnn,
    "beale": beale,
    "rosenbrock": rosenbrock,
}
