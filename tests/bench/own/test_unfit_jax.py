"""What a jax model can lack, each with a row that says so."""

from __future__ import annotations

import itertools
import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bench.own.model import INDEPENDENT
from tests.bench.own.asked import compared, only

X = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)  # numpy's: on import jax may have float64 switched on
DRAWS = itertools.count(1)


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


def single(p: Any, x: Any) -> Any:
    if p.dtype == jnp.float64:
        raise ArithmeticError("float32 alone")
    return (p * x).sum()


DIFFERENCES = (
    "The reference is central differences of the float64 loss: its float64 gradient fails "
    "(ArithmeticError: no rule for float64)"
)


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (single, "No gradient error: the model does not run in float64 (ArithmeticError: float32 alone)"),
        (lambda p, x: (fitful(p) * x).sum(), DIFFERENCES),
    ],
    ids=["forward", "gradient"],
)
def test_what_failed_on_the_way_to_a_reference_is_said(loss: Any, words: str) -> None:
    row = only(compared(loss=loss, params=jnp.ones(4), batch=X, methods=["backprop"]))
    assert row["status"] == "ok" and row["reason"] == f"{words}."


@pytest.mark.parametrize(
    "loss",
    [lambda p, x: x.mean(), lambda p, x: (jax.lax.stop_gradient(p) * x).sum(), lambda p, x: (p > 0).mean()],
    ids=["without", "detached", "steps"],
)
def test_a_loss_of_no_leaf_says_the_same_for_every_method(loss: Any) -> None:
    found = compared(loss=loss, params=jnp.ones(4), batch=X)
    assert list(found["status"]) == ["failed"] * 3 and set(found["reason"]) == {INDEPENDENT}


@pytest.mark.parametrize(
    ("step", "loss"),
    [
        (lambda z, a: 0.5 * z + 1, lambda z: z.sum()),
        (lambda z, a: 0.5 * z + a, lambda z: jax.lax.stop_gradient(z).sum()),
        (lambda z, a: 0.5 * z + a, lambda z: jnp.ones(())),
    ],
    ids=["step", "detached", "loss"],
)
def test_a_fixed_point_of_no_leaf_says_the_same_for_every_method(step: Any, loss: Any) -> None:
    found = compared(step=step, z0=jnp.zeros((3, 4)), args=X, loss=loss)
    assert list(found["status"]) == ["failed"] * 4 and set(found["reason"]) == {INDEPENDENT}


def test_an_operation_without_forward_mode_costs_that_row_alone() -> None:
    methods = ["backprop", ("forward_gradient", {"tangents": "given"})]
    found = compared(loss=lambda p, x: (doubled(p) * x).sum(), params=jnp.ones(4), batch=X, methods=methods)
    assert list(found["status"]) == ["ok", "n/a"]
    assert re.match(r"can't apply forward-mode \S+ \(jvp\) to a custom_vjp function", found["reason"].iloc[1])
    assert found["gradient_error"].iloc[0] < 1e-6


def test_a_loop_without_reverse_mode_is_not_applicable() -> None:
    def loss(p: Any, x: Any) -> Any:
        return jax.lax.while_loop(lambda p: p.sum() < 100, lambda p: 2 * p, p).sum()

    row = only(compared(loss=loss, params=jnp.ones(4), batch=X, methods=["backprop"]))
    assert row["status"] == "n/a" and row["reason"].startswith("Reverse-mode differentiation does not work")


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
def test_an_explicit_model_that_cannot_be_measured(loss: Any, status: str, words: str) -> None:
    row = only(compared(loss=loss, params=jnp.ones(4), batch=X, methods=["backprop"]))
    assert row["status"] == status and re.search(words, row["reason"]), row["reason"]


@pytest.mark.parametrize(
    ("step", "status", "words"),
    [
        (lambda z, a: 1.25 * z + a, "diverged", r"step does not contract at z \(ρ\(J\) ≈ 1.2\)"),
        (lambda z, a: (0.5 * z + a)[:2], "failed", r"step maps a state of shape \(3, 4\) to \(2, 4\)"),
    ],
    ids=["not contractive", "shape"],
)
def test_a_fixed_point_that_cannot_be_measured(step: Any, status: str, words: str) -> None:
    asked = {"step": step, "z0": jnp.zeros((3, 4)), "args": X, "loss": lambda z: z.sum()}
    row = only(compared(**asked, methods=["jfb"]))
    assert row["status"] == status and re.search(words, row["reason"]), row["reason"]
