"""What a model can lack, each with a row that says so."""

from __future__ import annotations

import itertools
import re
from typing import Any

import jax
import jax.numpy as jnp
import pytest
import torch

from bench.own.model import INDEPENDENT
from tests.bench.own.asked import compared, only

X = torch.linspace(-1, 1, 24).reshape(6, 4)
ROWS = X[:3].numpy()  # numpy's: on import jax may have float64 switched on
XP: dict[str, Any] = {"torch": torch, "jax": jnp}
BOTH = pytest.mark.parametrize("framework", XP)
DETACHED: dict[str, Any] = {"torch": torch.detach, "jax": jax.lax.stop_gradient}
OTHER = torch.nn.Linear(4, 4)
DRAWS = itertools.count(1)
RUNS: dict[str, Any] = {"methods": ["backprop"], "batch": X}


def rows(framework: str) -> Any:
    return X[:3] if framework == "torch" else jnp.asarray(ROWS)


def linear() -> torch.nn.Linear:
    torch.manual_seed(0)
    return torch.nn.Linear(4, 4)


def square(model: Any, x: Any) -> Any:
    return (model(x) ** 2).mean()


class Doubled(torch.autograd.Function):
    """Without forward mode."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return 2 * x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return 2 * g


@jax.custom_vjp
def doubled(x: Any) -> Any:
    return 2 * x


doubled.defvjp(lambda x: (2 * x, None), lambda _, g: (2 * g,))


@jax.custom_vjp
def fitful(x: Any) -> Any:
    """A doubling that has no gradient in float64."""
    return 2 * x


def _fitful_backward(_: Any, g: Any) -> Any:
    if g.dtype == jnp.float64:
        raise ArithmeticError("no rule for float64")
    return (2 * g,)


fitful.defvjp(lambda x: (2 * x, None), _fitful_backward)


class Fitful(torch.autograd.Function):
    """A doubling that has no gradient in float64."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return 2 * x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        if g.dtype == torch.float64:
            raise ArithmeticError("no rule for float64")
        return 2 * g


def elsewhere(p: Any, x: Any) -> Any:
    if p.dtype == torch.float64 and not p.requires_grad and not (p == 1).all():
        raise ArithmeticError("out of its domain")
    return (p * (x + 1)).sum()


def single(p: Any, x: Any) -> Any:
    if p.dtype == jnp.float64:
        raise ArithmeticError("float32 alone")
    return (p * x).sum()


DIFFERENCES = (
    "The reference is central differences of the float64 loss: its float64 gradient fails "
    "(ArithmeticError: no rule for float64)"
)


# In both frameworks ---------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("kind", ["without", "detached", "steps"])
def test_a_loss_of_no_leaf_says_the_same_for_every_method(framework: str, kind: str) -> None:
    detach = DETACHED[framework]
    losses = {
        "without": lambda p, x: x.mean(),
        "detached": lambda p, x: (detach(p) * x).sum(),
        "steps": lambda p, x: (x * (p > 0)).mean(),
    }
    found = compared(loss=losses[kind], params=XP[framework].ones(4), batch=rows(framework))
    assert list(found["status"]) == ["failed"] * 3 and set(found["reason"]) == {INDEPENDENT}


@BOTH
@pytest.mark.parametrize("kind", ["step", "detached", "loss"])
def test_a_fixed_point_of_no_leaf_says_the_same_for_every_method(framework: str, kind: str) -> None:
    xp, detach = XP[framework], DETACHED[framework]
    losses = {"step": lambda z: z.sum(), "detached": lambda z: detach(z).sum(), "loss": lambda z: xp.ones(())}
    step = (lambda z, a: 0.5 * z + 1) if kind == "step" else lambda z, a: 0.5 * z + a
    found = compared(step=step, z0=xp.zeros((3, 4)), args=rows(framework), loss=losses[kind])
    assert list(found["status"]) == ["failed"] * 4 and set(found["reason"]) == {INDEPENDENT}


@pytest.mark.parametrize(
    ("framework", "twice", "words"),
    [
        ("torch", Doubled.apply, r"[^\n]*jvp[^\n]*$"),
        ("jax", doubled, r"can't apply forward-mode \S+ \(jvp\) to a custom_vjp function"),
    ],
    ids=XP,
)
def test_an_operation_without_forward_mode_costs_that_row_alone(framework: str, twice: Any, words: str) -> None:
    params, x = XP[framework].ones(4), rows(framework)
    found = compared(loss=lambda p, x: (twice(p) * (x + 1)).sum(), params=params, batch=x)
    assert list(found["status"]) == ["ok", "n/a", "n/a"]
    assert re.match(words, found["reason"].iloc[1])
    assert found["gradient_error"].iloc[0] < 1e-6


@pytest.mark.parametrize(
    ("framework", "loss", "words"),
    [
        (
            "torch",
            lambda p, x: (x @ torch.diag(p) @ torch.ones(4, 4)).sum(),
            "No gradient error: the model does not run in float64 (RuntimeError: ",
        ),
        ("jax", single, "No gradient error: the model does not run in float64 (ArithmeticError: float32 alone)."),
        ("torch", lambda p, x: (Fitful.apply(p) * x).sum(), f"{DIFFERENCES}."),
        ("jax", lambda p, x: (fitful(p) * x).sum(), f"{DIFFERENCES}."),
        (
            "torch",
            elsewhere,
            "No gradient error: the central differences of its float64 loss fail (ArithmeticError: out of its domain)",
        ),
    ],
    ids=["forward, torch", "forward, jax", "gradient, torch", "gradient, jax", "differences"],
)
def test_what_failed_on_the_way_to_a_reference_is_said(framework: str, loss: Any, words: str) -> None:
    row = only(compared(loss=loss, params=XP[framework].ones(4), batch=rows(framework), methods=["backprop"]))
    assert row["status"] == "ok" and row["reason"].startswith(words)


# In torch -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        (
            {"loss": square, "params": torch.nn.Sequential(linear(), torch.nn.Dropout())},
            "failed",
            r"^loss gives \S+ and then \S+ for the same arrays: switch dropout off \(model\.eval\(\)\) or fix",
        ),
        (
            {"loss": lambda model, x: model(x), "params": linear()},
            "failed",
            r"^loss returns an array of shape \(6, 4\)",
        ),
        ({"loss": lambda model, x: 1.0, "params": linear()}, "failed", r"^loss returns a value of type float"),
        ({"loss": lambda p, x: (p * x).mean().log(), "params": -torch.ones(4)}, "diverged", r"^The loss is nan"),
        ({"loss": lambda p, x: (p * x).mean().detach(), "params": torch.ones(4)}, "failed", "depends on no array"),
        (
            {"loss": lambda p, x: OTHER(p * x).mean(), "params": torch.ones(4)},
            "failed",
            "that require a gradient and are not among its arguments",
        ),
        ({"loss": lambda model, x: model(x[:, :3]).mean(), "params": linear()}, "failed", "^RuntimeError: "),
    ],
    ids=["dropout", "shape", "float", "nan", "detached", "closed over", "its own error"],
)
def test_an_explicit_torch_model_that_cannot_be_measured(asked: dict[str, Any], status: str, words: str) -> None:
    row = only(compared(**asked, **RUNS))
    assert row["status"] == status and row["R"] != row["R"]
    assert re.search(words, row["reason"]), row["reason"]


def test_a_derivative_that_is_not_the_losses_has_no_gradient_error_and_says_so() -> None:
    row = only(compared(loss=lambda p, x: (p * p.detach() * x).sum(), params=torch.ones(4), **RUNS))
    assert row["status"] == "ok" and row["R"] > 0 and row["gradient_error"] != row["gradient_error"]
    assert "away from central differences of its loss" in row["reason"]


def test_a_model_that_stays_in_float32_has_no_gradient_error_and_says_so() -> None:
    fixed = torch.ones(4, 4)
    row = only(compared(loss=lambda p, x: ((p * x) @ fixed).sum(), params=torch.ones(4), **RUNS))
    assert row["status"] == "ok" and row["gradient_error"] != row["gradient_error"]
    assert row["reason"].startswith("No gradient error: the model does not run in float64")


def test_a_derivative_that_is_right_in_float64_alone_is_wrong() -> None:
    class Fickle(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return 2 * x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return (2 if g.dtype == torch.float64 else 3) * g

    row = only(compared(loss=lambda p, x: (Fickle.apply(p) * (x + 1)).sum(), params=torch.ones(4), **RUNS))
    assert row["status"] == "wrong" and row["R"] != row["R"]
    assert row["reason"] == "The gradient is 0.5 away from the float64 reference, more than 0.001."


def fixed_point(a: Any, **asked: Any) -> dict[str, Any]:
    found = compared(
        step=asked.pop("step", lambda z, args: args["a"] * z + args["b"]),
        z0=torch.zeros(3, 4),
        args={"a": torch.as_tensor(a), "b": X[:3]},
        loss=lambda z: z.sum(),
        methods=[asked.pop("method", "jfb")],
        **asked,
    )
    return only(found)


def test_a_step_that_does_not_contract_is_diverged_with_its_spectral_radius() -> None:
    for row in (fixed_point(1.25), fixed_point(1.25, K=450)):
        assert row["status"] == "diverged" and "step does not contract at z (ρ(J) ≈ " in row["reason"]
    assert "(ρ(J) ≈ 1.2)" in fixed_point(1.25)["reason"] and "K = 60" in fixed_point(1.25)["reason"]


def test_a_step_that_goes_round_in_a_cycle_is_told_so() -> None:
    row = fixed_point(3.0, step=lambda z, args: torch.tanh(1 - args["a"] * z) + 0 * args["b"])
    assert row["status"] == "diverged" and "its iterates go round in a cycle" in row["reason"]


def test_a_slow_step_is_told_the_k_that_it_needs() -> None:
    """a = 0.95: the residual after K steps is below 0.95ᴷ⁻¹·0.05/(1 − 0.95ᴷ⁻¹), so 1e-3 takes 78 steps."""
    row = fixed_point(0.95)
    assert row["status"] == "diverged" and "contracts, but slowly (ρ(J) ≈ 0.95)" in row["reason"]
    more = int(row["reason"].split("raise K to ")[1].split()[0])
    assert 78 <= more <= 100
    assert fixed_point(0.95, K=more)["status"] == "ok"
    assert fixed_point(0.95, residual_tol=0.1)["status"] == "ok"


def test_a_step_that_ends_at_zero_is_solved() -> None:
    """Every step halves z, so ‖step(z) − z‖/‖z‖ is 1/2 for ever."""
    found = compared(
        step=lambda z, W: torch.tanh(z @ W),
        z0=X[:3],
        args=0.5 * torch.eye(4),
        loss=lambda z: (z + 1).sum(),
        methods=["jfb"],
        K=40,
    )
    row = only(found)
    assert row["status"] == "ok" and "the gradient is zero" in row["reason"]
    assert found.rows[1]["values"]["forward_residual"] < 1e-6


def test_seeded_noise_that_is_other_in_float64_leaves_no_reference() -> None:
    def loss(model: Any, x: Any) -> Any:
        torch.manual_seed(7)
        return square(model, x + 0.01 * torch.randn_like(x))

    row = only(compared(loss=loss, params=linear(), **RUNS))
    assert row["status"] == "ok" and row["gradient_error"] != row["gradient_error"]
    assert "it depends on the dtype, as random draws do" in row["reason"]


def test_a_step_that_is_another_in_float64_leaves_no_reference() -> None:
    row = fixed_point(0.5, step=lambda z, args: args["a"] * z + args["b"] + 0.01 * (z.dtype == torch.float64))
    assert row["status"] == "ok" and row["gradient_error"] != row["gradient_error"]
    assert row["reason"].startswith("No gradient error: at the float64 fixed point step leaves a residual of ")


def test_newton_solves_what_picard_steps_cannot() -> None:
    row = fixed_point(1.25, method=("ift", {"solver": "newton", "linear_solver": "dense"}))
    # The reference takes Picard steps too, so there is none.
    assert row["status"] == "ok" and "the float64 solve stops at a residual of" in row["reason"]


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (lambda z, args: (args["a"] * z)[:, :2], r"step maps a state of shape \(3, 4\) to \(3, 2\)"),
        (lambda z, args: (args["a"] * z, z), "step returns a tuple"),
        (lambda z, args: (args["a"] * z).double(), "step maps a state of torch.float32 to torch.float64"),
    ],
    ids=["shape", "tuple", "dtype"],
)
def test_a_step_must_keep_the_state(step: Any, words: str) -> None:
    row = fixed_point(0.5, step=step)
    assert row["status"] == "failed" and re.match(words, row["reason"]), row["reason"]


# In jax ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "status", "words"),
    [
        (lambda p, x: p * x, "failed", r"^loss returns an array of shape \(3, 4\)"),
        (lambda p, x: jnp.log(-(p**2).sum()), "diverged", "^The loss is nan"),
        (
            lambda p, x: (p * x**2).sum() * next(DRAWS),
            "failed",
            r"^loss gives \S+ and then \S+ for the same arrays",
        ),
    ],
    ids=["shape", "nan", "noise"],
)
def test_an_explicit_jax_model_that_cannot_be_measured(loss: Any, status: str, words: str) -> None:
    row = only(compared(loss=loss, params=jnp.ones(4), batch=ROWS, methods=["backprop"]))
    assert row["status"] == status and re.search(words, row["reason"]), row["reason"]


@pytest.mark.parametrize(
    ("step", "status", "words"),
    [
        (lambda z, a: 1.25 * z + a, "diverged", r"step does not contract at z \(ρ\(J\) ≈ 1.2\)"),
        (lambda z, a: (0.5 * z + a)[:2], "failed", r"step maps a state of shape \(3, 4\) to \(2, 4\)"),
    ],
    ids=["not contractive", "shape"],
)
def test_a_jax_fixed_point_that_cannot_be_measured(step: Any, status: str, words: str) -> None:
    asked = {"step": step, "z0": jnp.zeros((3, 4)), "args": ROWS, "loss": lambda z: z.sum()}
    row = only(compared(**asked, methods=["jfb"]))
    assert row["status"] == status and re.search(words, row["reason"]), row["reason"]
