"""Forward gradient that keeps no tangent: a layer's is drawn when the layer needs it, dropped, and drawn again.

    d = Σ_l ∂L/∂θ_l · v_l,   θ_l ← θ_l − η d v_l,   v_l from the same place of the same generator both times

For dense ReLU nets (``mlp``). The draws are those of forward_gradient with gaussian tangents, and so is the update.
Cost: each tangent twice. Memory: one layer's tangent and two activations, flat in depth. Source: the second draw as in
MeZO, Malladi et al. 2023, arXiv:2305.17333, there for differences of losses.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.autograd.forward_ad as fwd
from torch import Tensor

from impls.torch import ops
from impls.torch.tangents import gaussian


def directional(params: ops.Tree, batch: Mapping[str, Tensor], rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """(loss, ∇L·v) by forward mode; rng is left advanced by one draw of all layers."""
    with torch.no_grad(), fwd.dual_level():
        x = batch["x"]
        for layer in params[:-1]:
            x = torch.relu(_dense(x, layer, rng))
        value = ops.cross_entropy(_dense(x, params[-1], rng), batch["y"])
        value, derivative = fwd.unpack_dual(value)
    return value, derivative


def _dense(x: Tensor, layer: dict[str, Tensor], rng: torch.Generator) -> Tensor:
    """x W + b along a tangent of the layer, which nobody holds afterwards."""
    dual = ops.tree_map(lambda p, v: fwd.make_dual(p.detach(), v), layer, gaussian(rng, layer))
    return ops.matmul(x, dual["W"]) + dual["b"]


def update(
    params: ops.Tree, batch: Mapping[str, Tensor], rng: torch.Generator, lr: float | Tensor
) -> tuple[Tensor, ops.Tree]:
    """(loss, params after one step of size lr). Overwrites params; rng is left advanced by one draw of all layers."""
    again = rng.clone_state()
    value, derivative = directional(params, batch, rng)
    scale = lr * derivative
    with torch.no_grad():
        for layer in params:
            ops.tree_map(lambda p, v: p.sub_(v.mul_(scale)), layer, gaussian(again, layer))
    return value, params
