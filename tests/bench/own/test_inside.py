"""Derivatives inside a loss, or inside a step, of an implicit torch model: the solve records nothing of them."""

from __future__ import annotations

from typing import Any

import jax
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


def by_its_state(z: Any, a: Any) -> Any:
    """``energy`` without a look at what asks for a gradient."""
    value = (z**2).sum() / 2 - torch.log(torch.cosh(z @ a + 1)).sum() / 2
    return z - torch.autograd.grad(value, z, create_graph=True)[0] / 2


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_a_loss_or_a_step_may_differentiate_by_its_state(framework: str) -> None:
    """‖∂(Σ z³/3)/∂z‖² is ‖z²‖²."""
    if framework == "torch":
        made = {"z0": torch.zeros(3, 4, dtype=torch.float64), "args": A}
        step, slope = by_its_state, lambda z: torch.autograd.grad((z**3).sum() / 3, z, create_graph=True)[0]
        written = descent
    else:
        made = {"z0": jax.numpy.zeros((3, 4)), "args": jax.numpy.asarray(A.numpy(), "float32")}
        step = written = lambda z, a: jax.numpy.tanh(z @ a + 1)
        slope = jax.grad(lambda z: (z**3).sum() / 3)
    asked = made | {"methods": METHODS, "K": 60}
    found = compared(step=step, loss=lambda z: (slope(z) ** 2).mean(), **asked)
    plain = compared(step=written, loss=lambda z: (z**4).mean(), **asked)
    assert list(found["status"]) == list(plain["status"]) == ["ok"] * 3 and not any(found["reason"])
    assert found["gradient_error"].to_numpy() == pytest.approx(plain["gradient_error"].to_numpy(), rel=1e-6, abs=1e-5)
    assert (found["gradient_error"].iloc[:2] < 1e-5).all() and found["gradient_error"].iloc[2] > 1e-3


@pytest.mark.parametrize("inner", ["loss", "step"])
def test_a_derivative_by_what_cannot_be_had_inside_says_what_to_do(inner: str) -> None:
    def through(z: Any, a: Any) -> Any:
        return z + torch.autograd.grad((z**2).sum(), a, create_graph=True)[0]

    step = through if inner == "step" else lambda z, a: z / 2 + a
    loss = (lambda z, a: through(z, a).sum()) if inner == "loss" else lambda z: z.sum()
    row = compared(step=step, loss=loss, z0=torch.ones(3, 4), args=torch.ones(3, 4), methods=["ift"]).iloc[0]
    words = {"loss": "let it differentiate by z, or by what it computes itself", "step": "x.detach().requires_grad_()"}
    assert row["status"] == "failed" and words[inner] in row["reason"]
