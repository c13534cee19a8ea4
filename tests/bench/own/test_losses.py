"""What a loss or step may do inside: run again in the backward pass, differentiate, lack a mode of differentiation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from torch.utils.checkpoint import checkpoint

from bench.own.compare import ask
from bench.own.model import model
from bench.own.torch_nest import closed_over
from tests.bench.own.asked import compared, only

T = torch.linspace(0, 1, 20)[:, None]
OTHER, HELD = torch.nn.Linear(1, 1), {"nets": [torch.nn.Linear(1, 1)]}


class Again(torch.nn.Module):
    """A part of it is run again in the backward pass."""

    def __init__(self, *, reentrant: bool) -> None:
        super().__init__()
        self.reentrant = reentrant
        self.a = torch.nn.Sequential(torch.nn.Linear(8, 64), torch.nn.Tanh(), torch.nn.Linear(64, 64), torch.nn.Tanh())
        self.b = torch.nn.Linear(64, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.b(checkpoint(self.a, x, use_reentrant=self.reentrant))


def square(net: Any, x: Any) -> Any:
    return net(x).pow(2).mean()


def small() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(1, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))


def test_a_module_that_runs_again_in_the_backward_pass_finds_its_tensors() -> None:
    torch.manual_seed(0)
    net, x = Again(reentrant=False), torch.randn(64, 8)
    found = compared(loss=square, params=net, batch=x)
    assert list(found["status"]) == ["ok"] * 3 and not any(found["reason"])
    assert found["gradient_error"].iloc[0] < 1e-6
    assert all(one.grad is None and one.dtype == torch.float32 for one in net.parameters())
    taken = model(ask(loss=square, params=net, batch=x), double=True)
    leaves = [one.requires_grad_() for one in taken.leaves]
    grads = taken.holding(lambda: torch.autograd.grad(taken.loss()(leaves, taken.rest)[0], leaves))
    assert float(torch.cat([one.flatten() for one in grads]).norm()) == pytest.approx(0.58380, abs=1e-5)


def test_a_step_that_runs_again_in_the_backward_pass_meets_its_reference() -> None:
    torch.manual_seed(0)
    net = torch.nn.Linear(6, 6)
    torch.nn.init.orthogonal_(net.weight, 0.5)
    found = compared(
        step=lambda z, a: torch.tanh(checkpoint(a["net"], z, use_reentrant=False) + a["x"]),
        z0=torch.zeros(4, 6),
        args={"net": net, "x": torch.randn(4, 6)},
        loss=lambda z: (z**2).sum(),
        methods=["unrolled", "ift"],
        K=40,
    )
    assert list(found["status"]) == ["ok"] * 2 and (found["gradient_error"] < 1e-5).all()


@pytest.mark.parametrize("asks", [False, True], ids=["no input asks", "an input asks"])
def test_a_checkpoint_that_autograd_grad_cannot_pass_is_told(asks: bool) -> None:
    net, x = Again(reentrant=True), torch.ones(4, 8)
    row = only(
        compared(loss=lambda net, x: square(net, x.requires_grad_(asks)), params=net, batch=x, methods=["backprop"])
    )
    assert row["status"] == "failed" and row["reason"].endswith("set use_reentrant=False.")
    assert not x.requires_grad and all(one.grad is None for one in net.parameters())


def test_remat_changes_what_is_held_and_not_the_gradient() -> None:
    def net(W: Any, x: Any) -> Any:
        return jnp.tanh(jnp.tanh(x @ W) @ W)

    rng = np.random.default_rng(0)
    asked = {"params": jnp.asarray(rng.normal(size=(8, 8)) / 8, "float32"), "methods": ["backprop"]}
    asked["batch"] = jnp.asarray(rng.normal(size=(64, 8)), "float32")
    plain = only(compared(loss=lambda W, x: (net(W, x) ** 2).mean(), **asked))
    again = only(compared(loss=lambda W, x: (jax.checkpoint(net)(W, x) ** 2).mean(), **asked))
    assert again["status"] == "ok" and again["reason"] == "" and again["gradient_error"] < 1e-6
    assert again["held_bytes"] < plain["held_bytes"] and again["counted_flop_ratio"] > plain["counted_flop_ratio"]


def inner(net: Any, t: Any) -> Any:
    """A differential equation's residual u' + u, as it is written for training."""
    t = t.clone().requires_grad_()
    u = net(t)
    (du,) = torch.autograd.grad(u.sum(), t, create_graph=True)
    return ((du + u) ** 2).mean()


def recorded(net: Any, t: Any) -> Any:
    with torch.enable_grad():
        return inner(net, t)


def in_the_batch(net: Any, t: Any) -> Any:
    (du,) = torch.autograd.grad(net(t.requires_grad_()).sum(), t, create_graph=True)
    return ((du + net(t)) ** 2).mean()


def by_transforms(net: Any, t: Any) -> Any:
    du = torch.func.vmap(torch.func.grad(lambda s: net(s[None])[0, 0]))(t)
    return ((du + net(t)) ** 2).mean()


@pytest.mark.parametrize("loss", [inner, recorded, in_the_batch, by_transforms], ids=lambda loss: loss.__name__)
def test_a_loss_may_differentiate_in_its_batch(loss: Callable[..., Any]) -> None:
    net, t = small(), T.clone()
    row = only(compared(loss=loss, params=net, batch=t, methods=["backprop"]))
    assert row["status"] == "ok" and row["reason"] == "" and row["gradient_error"] < 1e-5
    assert not t.requires_grad
    wanted = torch.autograd.grad(inner(net.double(), T.double()), list(net.parameters()), allow_unused=True)
    assert float(torch.cat([one.flatten() for one in wanted if one is not None]).norm()) == pytest.approx(
        6.3773, abs=1e-4
    )


def test_a_loss_may_differentiate_in_its_parameters() -> None:
    def adapted(net: Any, t: Any) -> Any:
        params = dict(net.named_parameters())
        grads = torch.autograd.grad(square(net, t), list(params.values()), create_graph=True)
        moved = {name: one - 0.1 * g for (name, one), g in zip(params.items(), grads, strict=True)}
        return torch.func.functional_call(net, moved, (t,)).pow(2).mean()

    found = compared(loss=adapted, params=small(), batch=T)
    assert list(found["status"]) == ["ok"] * 3 and found["gradient_error"].iloc[0] < 1e-5
    assert not any(found["reason"])


def test_a_jax_loss_may_differentiate_inside() -> None:
    def net(W: Any, t: Any) -> Any:
        return jnp.tanh(t @ W[0]) @ W[1]

    def loss(W: Any, t: Any) -> Any:
        du = jax.vmap(jax.grad(lambda s: net(W, s[None])[0, 0]))(t)
        return ((du + net(W, t)) ** 2).mean()

    found = compared(loss=loss, params=[jnp.ones((1, 4)), jnp.ones((4, 1))], batch=jnp.ones((5, 1)) / 3)
    assert list(found["status"]) == ["ok"] * 3 and found["gradient_error"].iloc[0] < 1e-5


@pytest.mark.parametrize(
    ("loss", "names"),
    [
        (lambda net, t: inner(net, t) + OTHER(t).mean(), "OTHER.weight and OTHER.bias"),
        (lambda net, t: inner(net, t) + HELD["nets"][0](t).mean(), 'HELD["nets"][0].weight and HELD["nets"][0].bias'),
    ],
    ids=["a module", "in a nest"],
)
def test_parameters_that_are_closed_over_are_named(loss: Callable[..., Any], names: str) -> None:
    row = only(compared(loss=loss, params=small(), batch=T, methods=["backprop"]))
    assert row["status"] == "failed" and f"not among its arguments ({names}): pass" in row["reason"]


def test_what_was_there_before_is_told_from_what_a_loss_makes() -> None:
    outside, batch = torch.ones(3, requires_grad=True), torch.ones(3)

    def value() -> torch.Tensor:
        mine = torch.ones(3).requires_grad_()
        return (mine * outside * batch.requires_grad_()).sum() + (outside * 2).sum()

    (found,) = closed_over(value, [batch])
    assert found is outside
    assert closed_over(lambda: torch.ones(3).requires_grad_().sum(), []) == []
    assert closed_over(lambda: torch.ones(()), []) == []


class Squared(torch.autograd.Function):
    """Forward mode alone."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.x = x
        return x * x

    @staticmethod
    def jvp(ctx: Any, t: Any) -> Any:
        return 2 * ctx.x * t


def looped(p: Any, x: Any) -> Any:
    return (jax.lax.while_loop(lambda q: q.sum() < 100, lambda q: 2 * q, p) * p).sum()


@pytest.mark.parametrize("most", [1000, 3], ids=["all parameters", "along tangents"])
@pytest.mark.parametrize("framework", ["torch", "jax"])
@pytest.mark.few(2)
def test_without_reverse_mode_central_differences_decide(
    framework: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.own.references.FEW", most)
    asked: dict[str, Any] = {"loss": looped, "params": jnp.arange(1.0, 5), "batch": jnp.ones(4)}
    if framework == "torch":
        asked = {"loss": lambda p, x: (Squared.apply(p) * x).sum(), "params": torch.arange(1.0, 5), "batch": T[:4, 0]}
    backprop, sampled, given = compared(**asked).to_dict("records")
    assert backprop["status"] == "n/a" and "everse" in backprop["reason"] + "reverse" * (framework == "torch")
    for row in (sampled, given):
        assert row["status"] == "ok" and "does not run in float64" not in row["reason"]
        assert ("The reference is central differences" in row["reason"]) is (most > 3)
        assert ("checked by central differences of the float64 loss along" in row["reason"]) is (most == 3)


@pytest.mark.parametrize("most", [1000, 3], ids=["all parameters", "along tangents"])
def test_a_wrong_forward_mode_is_wrong_without_reverse_mode_too(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    class Tripled(Squared):
        @staticmethod
        def jvp(ctx: Any, t: Any) -> Any:
            return 3 * ctx.x * t

    monkeypatch.setattr("bench.own.references.FEW", most)
    asked = {"loss": lambda p, x: (Tripled.apply(p) * x).sum(), "params": torch.arange(1.0, 5), "batch": T[:4, 0]}
    row = only(compared(**asked, methods=[("forward_gradient", {"tangents": "given"})]))
    v, g = np.random.default_rng(1).normal(size=4), 2 * np.arange(1.0, 5) * T[:4, 0].numpy()
    off = 0.5 if most == 3 else 0.5 * abs(v @ g) / np.linalg.norm(g)
    assert row["status"] == "wrong" and f" is {off:.2g} away from " in row["reason"]


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


@pytest.mark.parametrize("framework", [pytest.param("torch", marks=pytest.mark.long), "jax"])
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
