"""Forward gradient: one directional derivative along a random tangent, times that tangent.

    g = (∇L(θ)·v) v,   E[v vᵀ] = I,   so E[g] = ∇L(θ)

Unbiased; E‖g − ∇L‖²/‖∇L‖² is n + 1 for gaussian v and n − 1 for rademacher, sphere and factored, over count. The law
basis takes v = √n e_i for i = 0, …, count − 1: n − 1 on average over i, and the gradient itself with count = n. Cost:
one jvp, as many products as backprop; none with a weight's tangent under the law factored. Memory: flat in depth beyond
the tangents and the result, which takes the tangents' place.
Source: Baydin, Pearlmutter, Syme, Wood and Torr 2022, arXiv:2202.08587.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.autograd.forward_ad as fwd
from torch import Tensor

from impls.torch import ops
from impls.torch.factored import Factored
from impls.torch.perturbed import perturbed
from impls.torch.tangents import Tangents, sampler
from impls.torch.types import Loss, ValueAndGrad


def directional(
    loss: Loss, params: ops.Tree, batch: Mapping[str, Tensor], tangent: ops.Tree
) -> tuple[Tensor, Tensor, Any]:
    """(loss, ∇L·v, aux) by forward mode, with no graph recorded: with one it would cost backprop's memory too."""
    with torch.no_grad(), fwd.dual_level():
        try:
            value, aux = loss(ops.tree_map(lambda p, v: perturbed(p.detach(), v), params, tangent), batch)
        except (TypeError, ValueError) as error:
            if "Perturbed" not in str(error):
                raise
            raise TypeError(_TENSORS) from error
        value, derivative = fwd.unpack_dual(value)
        aux = ops.stop_gradient(aux)
    return value, torch.zeros_like(value) if derivative is None else derivative, aux


def value_and_grad(
    loss: Loss, *, tangents: Tangents = "gaussian", count: int = 1, keep_factored: bool = False
) -> ValueAndGrad:
    """fn(params, batch, rng) -> (loss, mean of count estimates shaped as params, aux).

    tangents: a law, or given arrays; see ``tangents.sampler``, which says what rng then is. keep_factored: leave the
    gradient of a weight along a ``Factored`` tangent one, as ``train_step`` takes it. Raises ``LookupError`` for an
    unknown law and ``ValueError`` for tangents that do not fit the parameters or are too many to stay factored.
    """
    if keep_factored and count != 1:
        raise ValueError(f"forward_gradient: a sum of {count} factored tangents has no factors: set count=1.")
    sample = sampler(tangents, count)

    def scaled(v: Tensor | Factored, s: Tensor, owned: bool = False) -> Tensor | Factored:
        if isinstance(v, Factored):
            return v.scaled(s) if keep_factored else v.scaled(s).dense()
        return v.mul_(s) if owned else v * s

    def fn(params: ops.Tree, batch: Mapping[str, Tensor], rng: Any = None) -> tuple[Tensor, ops.Tree, Any]:
        total: ops.Tree = None
        for index in range(count):
            tangent, owned = sample(rng, params, index)
            value, derivative, aux = directional(loss, params, batch, tangent)
            scale = derivative / count
            # A sampled tangent is ours to overwrite: the gradient needs no third copy of the parameters.
            term = ops.tree_map(lambda v, s=scale, mine=owned: scaled(v, s, mine), tangent)
            total = term if total is None else ops.tree_map(Tensor.add_, total, term)
        return value, total, aux

    return fn


_TENSORS = (
    "forward_gradient: loss hands a weight to what takes tensors alone, and here weights come along a tangent: "
    "begin loss with params = ops.dense(params)."
)
