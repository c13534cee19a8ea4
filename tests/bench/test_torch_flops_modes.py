"""Flops in torch are those that run, whichever way of differentiating or mapping runs them, from shapes alone too."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.autograd.forward_ad as fwd
from torch.nn import functional as F

from bench.instruments.torch_flops import count
from tests.bench.test_torch_flops import t


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_shapes_are_enough(device: str) -> None:
    def both() -> Any:
        x = torch.zeros(2, 3, 8, 8, device=device, requires_grad=True)
        w = torch.zeros(4, 3, 3, 3, device=device, requires_grad=True)
        y = F.conv2d(x, w, padding=1).flatten(1) @ torch.zeros(256, 5, device=device)
        return torch.autograd.grad(y.sum(), (x, w))

    assert count(both) == 3 * (2 * 2 * 4 * 3 * 64 * 9) + 2 * (2 * 2 * 256 * 5)


def test_reverse_mode_counts_the_products_that_were_asked_for() -> None:
    x, w, v = t(2, 3).requires_grad_(), t(3, 5).requires_grad_(), t(5, 7)
    one, two = 2 * 2 * 3 * 5, 2 * 2 * 5 * 7
    assert count(lambda: torch.autograd.grad((x @ w @ v).sum(), (x, w))) == (one + two) + two + 2 * one
    assert count(lambda: torch.autograd.grad((x @ w @ v).sum(), w)) == (one + two) + two + one


@pytest.mark.parametrize(
    "fn, image, kernel",
    [
        (lambda x, w: F.conv2d(x, w, padding=1), (2, 3, 8, 8), (4, 3, 3, 3)),
        (lambda x, w: F.conv2d(x, w), (2, 3, 8, 8), (4, 3, 3, 3)),
        (lambda x, w: F.conv2d(x, w, padding=1, groups=3), (2, 6, 8, 8), (9, 2, 3, 3)),
        (lambda x, w: F.conv2d(x, w, stride=2, dilation=2), (2, 3, 9, 9), (4, 3, 3, 3)),
        (lambda x, w: F.conv_transpose2d(x, w, stride=2), (2, 3, 4, 4), (3, 5, 3, 3)),
    ],
    ids=["same", "valid", "groups", "stride and dilation", "transposed"],
)
def test_each_gradient_of_a_convolution_costs_what_it_does(fn: Any, image: Any, kernel: Any) -> None:
    x, w = t(*image).requires_grad_(), t(*kernel).requires_grad_()
    with torch.no_grad():
        forward = count(lambda: fn(x, w))
    assert count(lambda: torch.autograd.grad(fn(x, w).sum(), (x, w))) == 3 * forward > 0
    assert count(lambda: torch.autograd.grad(fn(x, w).sum(), w)) == 2 * forward
    assert count(lambda: torch.autograd.grad(fn(x, w).sum(), x)) == 2 * forward


def test_dual_numbers_count_a_product_for_each_tangent() -> None:
    x, w = t(2, 3), t(3, 5)

    def both() -> None:
        with fwd.dual_level():
            fwd.make_dual(x, x) @ fwd.make_dual(w, w)

    assert count(both) == 3 * 60


def test_forward_mode_multiplies_the_zero_tangent_of_the_data() -> None:
    x, w = t(2, 3), t(3, 5)

    def one() -> None:
        with fwd.dual_level():
            x @ fwd.make_dual(w, w)

    assert count(one) == 3 * 60
    assert count(lambda: torch.func.jvp(lambda w: x @ w, (w,), (w,))) == 3 * 60


def test_vmap_counts_every_lane() -> None:
    w = t(3, 5)
    assert count(lambda: torch.func.vmap(lambda x: x @ w)(t(7, 2, 3))) == 7 * 60
    assert count(lambda: torch.func.vmap(lambda x: torch.linalg.solve(x, x[:, 0]))(t(7, 6, 6))) == 7 * (144 + 72)


def test_functional_reverse_mode_counts_as_autograd_does() -> None:
    x, w = t(2, 3), t(3, 5)
    assert count(lambda: torch.func.grad(lambda w: (x @ w).sum())(w)) == 2 * 60
