"""Derivatives inside a loss, or inside a step, of an implicit torch model: the solve records nothing of them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.bench.own.asked import compared

METHODS = ["unrolled", "ift", "jfb"]
A = 0.2 * torch.sin(torch.arange(16.0, dtype=torch.float64)).reshape(4, 4)


def contracting(z: Any, a: Any) -> Any:
    return torch.tanh(z @ a + 1)


def inside(z: Any, a: Any) -> Any:
    t = torch.ones_like(a).requires_grad_()
    (g,) = torch.autograd.grad(torch.tanh(t @ a).sum(), t, create_graph=True)
    return (z**2).mean() + (g**2).mean()


def written(z: Any, a: Any) -> Any:
    t = torch.ones_like(a)
    return (z**2).mean() + (((1 - torch.tanh(t @ a) ** 2) @ a.T) ** 2).mean()


def energy(z: Any, a: Any) -> Any:
    """z − ∇E/2 of E = ‖z‖²/2 − Σ log cosh(z a)/2."""
    y = z if z.requires_grad else z.detach().requires_grad_()
    value = (y**2).sum() / 2 - torch.log(torch.cosh(y @ a + 1)).sum() / 2
    (g,) = torch.autograd.grad(value, y, create_graph=True)
    return z - g / 2


def descent(z: Any, a: Any) -> Any:
    return z - (z - torch.tanh(z @ a + 1) @ a.T / 2) / 2


@pytest.mark.parametrize(
    ("step", "loss", "plain_step", "plain_loss"),
    [
        pytest.param(contracting, inside, contracting, written, id="loss"),
        pytest.param(energy, lambda z, a: (z**2).mean(), descent, None, id="step", marks=pytest.mark.long),
    ],
)
def test_every_method_gives_what_it_gives_where_the_derivative_is_written_out(
    step: Any, loss: Any, plain_step: Any, plain_loss: Any
) -> None:
    asked = {"z0": torch.zeros(3, 4, dtype=torch.float64), "args": A, "methods": METHODS, "K": 60}
    found = compared(step=step, loss=loss, **asked)
    plain = compared(step=plain_step, loss=plain_loss or loss, **asked)
    assert list(found["status"]) == list(plain["status"]) == ["ok"] * 3
    assert found["gradient_error"].to_numpy() == pytest.approx(plain["gradient_error"].to_numpy(), rel=1e-6, abs=1e-10)
    assert found["gradient_error"].iloc[2] > 1e-3  # JFB's own error: it is not unrolled by the way


def test_a_step_that_differentiates_by_what_asks_for_none_says_what_to_do() -> None:
    def step(z: Any, a: Any) -> Any:
        return z - torch.autograd.grad((z**2).sum(), z, create_graph=True)[0] / 4 + a

    found = compared(step=step, loss=lambda z: z.sum(), z0=torch.zeros(3, 4), args=torch.ones(3, 4), methods=["ift"])
    assert found["status"].iloc[0] == "failed" and "z.detach().requires_grad_()" in found["reason"].iloc[0]
