"""Backprop: reverse mode through the whole loss.

    g = ∇L(θ)

Exact. Cost: at most twice the forward's products on top of it; the first layer needs no product for its data.
Memory: the activations of all layers. Source: Linnainmaa 1970; Rumelhart, Hinton and Williams 1986.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from impls.torch import ops
from impls.torch.types import Loss, ValueAndGrad


def value_and_grad(loss: Loss) -> ValueAndGrad:
    """fn(params, batch, rng) -> (loss, gradient shaped as params, aux); rng is not used."""

    def fn(params: ops.Tree, batch: Mapping[str, Tensor], rng: Any = None) -> tuple[Tensor, ops.Tree, Any]:
        # autograd.grad, not torch.func.grad: the latter keeps a graph of the backward pass, three times the memory.
        with torch.enable_grad():
            params = ops.tree_map(lambda p: p.detach().requires_grad_(), params)
            value, aux = loss(params, batch)
        grads = iter(torch.autograd.grad(value, ops.leaves(params), allow_unused=True, materialize_grads=True))
        found = dict(zip(map(id, ops.leaves(params)), grads, strict=True))
        return (
            value.detach(),
            ops.tree_map(lambda p: found[id(p)], params),
            ops.stop_gradient(aux),
        )

    return fn
