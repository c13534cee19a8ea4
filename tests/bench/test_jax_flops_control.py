"""Flops in jax through loops, branches, custom rules and calls; what has no count is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from jax import lax

from bench.instruments.flop_formulas import UnknownOp
from bench.instruments.jax_flops import count
from bench.instruments.jaxpr_runs import _only_jaxpr
from tests.bench.test_jax_flops import s

ONE = 2 * 4 * 5 * 5
"""Flops of x @ w below."""
X, W = s(4, 5), s(5, 5)


def times(n: int) -> Callable[..., Any]:
    """n products in a loop."""
    return lambda x, w: lax.fori_loop(0, n, lambda _, x: jnp.tanh(x @ w), x)


def branches(x: Any, w: Any) -> Any:
    return lax.switch(jnp.int32(x[0, 0]), [lambda x: x, lambda x: x @ w @ w, lambda x: x @ w], x)


@jax.custom_jvp
def own_jvp(x: Any, w: Any) -> Any:
    return x @ w


own_jvp.defjvps(lambda t, out, x, w: t @ w @ w, None)


@jax.custom_vjp
def own_vjp(x: Any, w: Any) -> Any:
    return x @ w


own_vjp.defvjp(lambda x, w: (x @ w @ w, w), lambda w, g: (g @ w @ w @ w, w))

CONTROL: dict[str, tuple[Callable[..., Any], int]] = {
    "jit": (jax.jit(jnp.matmul), 1),
    "jit in jit": (jax.jit(lambda x, w: jax.jit(jnp.matmul)(x, w) @ w), 2),
    "scan": (times(7), 7),
    "scan of no length": (times(0), 0),
    "scan in scan": (lambda x, w: lax.fori_loop(0, 3, lambda _, x: times(7)(x, w), x), 21),
    "the dearest branch": (branches, 2),
    "a dynamic loop without flops": (lambda x, w: lax.fori_loop(0, jnp.int32(x[0, 0]), lambda _, x: x + 1, x @ w), 1),
    "own jvp, not differentiated": (own_jvp, 1),
    "own jvp": (lambda x, w: jax.jvp(lambda x: own_jvp(x, w), (x,), (x,)), 3),
    "own vjp, not differentiated": (own_vjp, 1),
    "own vjp": (lambda x, w: jax.grad(lambda x: own_vjp(x, w).sum())(x), 5),
    "remat": (lambda x, w: jax.checkpoint(jnp.matmul)(x, w), 1),
    "remat repeats": (
        lambda x, w: jax.grad(lambda x: jax.checkpoint(lambda x: jnp.tanh(jnp.tanh(x @ w) @ w))(x).sum())(x),
        6,
    ),
    "reverse mode": (lambda x, w: jax.grad(lambda x, w: jnp.tanh(x @ w).sum(), (0, 1))(x, w), 3),
    "forward mode": (lambda x, w: jax.jvp(lambda w: x @ w, (w,), (w,)), 2),
    "vmap": (lambda x, w: jax.vmap(lambda row: row @ w)(x), 1),
    "callback": (lambda x, w: jax.debug.callback(lambda _: None, x @ w), 1),
    "random": (lambda x, w: jax.random.normal(jax.random.key(0), (4, 5)) @ w, 1),
}


@pytest.mark.parametrize("name", CONTROL)
def test_each_way_to_run_a_jaxpr_counts_what_runs(name: str) -> None:
    fn, products = CONTROL[name]
    assert count(fn, X, W) == products * ONE


def test_only_the_solve_of_a_custom_linear_solve_runs() -> None:
    def solve(apply: Any, b: Any) -> Any:
        return b + apply(b)

    def transposed(apply: Any, b: Any) -> Any:
        return b + apply(apply(apply(b)))

    def x(b: Any, w: Any) -> Any:
        return lax.custom_linear_solve(lambda v: v @ w, b, solve, transposed)

    assert count(x, X, W) == ONE
    reverse = count(lambda b, w: jax.grad(lambda b: x(b, w).sum())(b), X, W)
    assert reverse == (1 + 3) * ONE


def test_arrays_and_shapes_count_alike() -> None:
    assert count(times(3), jnp.ones(X.shape), jnp.ones(W.shape)) == count(times(3), X, W)


UNKNOWN: dict[str, tuple[Callable[..., Any], str]] = {
    "fft": (jnp.fft.fft, "the primitive fft is in no table: add it to jax_flop_table.py"),
    "svd": (jnp.linalg.svd, "the primitive svd is in no table"),
    "eigenvalues": (jnp.linalg.eigvalsh, "the primitive eigh is in no table"),
    "inside a scan": (lambda w: lax.scan(lambda c, _: (jnp.linalg.svd(c)[0], None), w, None, 3), "svd is in no table"),
    "a loop that stops when it likes": (
        lambda w: lax.while_loop(lambda x: x.sum() > 0, lambda x: x @ w, w),
        "no known number of turns: give the solver tol=0",
    ),
    "a condition with flops": (
        lambda w: lax.while_loop(lambda x: (x @ x).sum() > 0, lambda x: x + 1, w),
        "no known number of turns",
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_not_known_is_an_error(name: str) -> None:
    fn, message = UNKNOWN[name]
    with pytest.raises(UnknownOp, match=message):
        count(fn, W)


def test_a_primitive_with_two_jaxprs_has_no_rule() -> None:
    jaxpr = jax.make_jaxpr(jnp.tanh)(X)
    with pytest.raises(UnknownOp, match="holds 2 jaxprs instead of one"):
        _only_jaxpr("jit", {"one": jaxpr, "other": jaxpr})
