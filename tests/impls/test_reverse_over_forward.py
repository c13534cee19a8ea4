"""Reverse mode over forward mode is a second derivative too, and so is the other order: both are refused where they are
taken."""

from __future__ import annotations

import pytest
import torch
import torch.autograd.forward_ad as fwd

from tests.impls.frameworks import loss, small, tree


@pytest.mark.parametrize("method", ["ift", "jfb"])
def test_reverse_over_forward_raises(method: str) -> None:
    params, batch = tree("torch", small("tanh").params), tree("torch", dict(small("tanh").batch))
    W = params["W"].requires_grad_()
    with fwd.dual_level():
        value, _ = loss("torch", "tanh", method)({**params, "W": fwd.make_dual(W, torch.ones_like(W))}, batch)
        slope = fwd.unpack_dual(value).tangent
        with pytest.raises(RuntimeError, match="first derivatives only"):
            torch.autograd.grad(slope, W)


@pytest.mark.parametrize("method", ["ift", "jfb"])
def test_forward_over_reverse_raises(method: str) -> None:
    """No graph of the backward pass is made: the tangents alone carry the second derivative."""
    params, batch = tree("torch", small("tanh").params), tree("torch", dict(small("tanh").batch))
    W = params["W"].requires_grad_()
    with fwd.dual_level():
        dual = fwd.make_dual(W, torch.ones_like(W))
        value, _ = loss("torch", "tanh", method)({**params, "W": dual}, batch)
        with pytest.raises(RuntimeError, match="first derivatives only"):
            torch.autograd.grad(value, W)
