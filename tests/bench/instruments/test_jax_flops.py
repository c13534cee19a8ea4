"""The jax counter of flops against hand counts and the torch counter: each formula, every way to run a jaxpr."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

from bench.instruments import torch_work
from bench.instruments.counting import UnknownOp
from bench.instruments.jax_work import _only_jaxpr, flops


def s(*shape: int) -> jax.ShapeDtypeStruct:
    """A shape with no array behind it."""
    return jax.ShapeDtypeStruct(shape, jnp.float32)


def conv(x: Any, w: Any, **options: Any) -> Any:
    """A convolution of NHWC images with HWIO kernels."""
    given = {"window_strides": (1, 1), "padding": "VALID"} | options
    return lax.conv_general_dilated(x, w, dimension_numbers=("NHWC", "HWIO", "NHWC"), **given)


PRODUCTS: dict[str, tuple[Callable[..., Any], tuple[Any, ...], int]] = {
    "matrices": (jnp.matmul, (s(2, 3), s(3, 5)), 2 * 2 * 3 * 5),
    "a batch": (jnp.matmul, (s(7, 2, 3), s(7, 3, 5)), 2 * 7 * 2 * 3 * 5),
    "matrix and vector": (jnp.matmul, (s(2, 3), s(3)), 2 * 2 * 3),
    "vectors": (jnp.dot, (s(3), s(3)), 2 * 3),
    "einsum": (partial(jnp.einsum, "jbn,bn->bj"), (s(4, 2, 3), s(2, 3)), 2 * 4 * 2 * 3),
    "two axes": (partial(jnp.tensordot, axes=2), (s(2, 3, 4), s(3, 4, 5)), 2 * 2 * 12 * 5),
    "outer": (partial(jnp.einsum, "i,j->ij"), (s(2), s(3)), 0),
}

CONVOLUTIONS: dict[str, tuple[Callable[..., Any], tuple[Any, ...], int]] = {
    "valid": (conv, (s(2, 7, 6, 3), s(3, 2, 3, 4)), 2 * 2 * 4 * 3 * (5 * 3) * (5 * 2)),
    "same": (partial(conv, padding="SAME"), (s(2, 8, 8, 3), s(3, 3, 3, 4)), 2 * 2 * 4 * 3 * 64 * 9),
    "groups": (partial(conv, feature_group_count=2), (s(2, 8, 8, 6), s(3, 3, 3, 4)), 2 * 2 * 4 * 3 * 36 * 9),
    "groups of the batch": (partial(conv, batch_group_count=2), (s(4, 8, 8, 3), s(3, 3, 3, 6)), 2 * 2 * 6 * 3 * 36 * 9),
    "stride": (partial(conv, window_strides=(2, 2)), (s(2, 9, 9, 3), s(3, 3, 3, 4)), 2 * 2 * 4 * 3 * 16 * 9),
    "dilated kernel": (partial(conv, rhs_dilation=(2, 2)), (s(2, 9, 9, 3), s(3, 3, 3, 4)), 2 * 2 * 4 * 3 * 25 * 9),
    "dilated image": (
        partial(conv, lhs_dilation=(2, 2), padding=((2, 2), (2, 2))),
        (s(2, 4, 4, 3), s(3, 3, 3, 5)),
        2 * 2 * 3 * 5 * 16 * 9,
    ),
}

N, M, RIGHT = 6, 9, 2
R = 2 * M * N**2 - 2 * N**3 // 3
REFLECTORS = 4 * M * N * N - 2 * (M + N) * N**2 + 4 * N**3 // 3
LU = 2 * N**3 // 3
LINALG: dict[str, tuple[Callable[..., Any], tuple[Any, ...], int]] = {
    "solve": (jnp.linalg.solve, (s(3, N, N), s(3, N, RIGHT)), 3 * (LU + 2 * N**2 * RIGHT)),
    "solve a vector": (jnp.linalg.solve, (s(N, N), s(N)), LU + 2 * N**2),
    "inverse": (jnp.linalg.inv, (s(N, N),), LU + 2 * N**2 * N),
    "lu": (jax.scipy.linalg.lu_factor, (s(3, N, N),), 3 * LU),
    "lu of a tall one": (lax.linalg.lu, (s(M, N),), M * N**2 - N**3 // 3),
    "lu of a wide one": (lax.linalg.lu, (s(N, M),), M * N**2 - N**3 // 3),
    "triangular": (jax.scipy.linalg.solve_triangular, (s(3, N, N), s(3, N, RIGHT)), 3 * N**2 * RIGHT),
    "cholesky": (jnp.linalg.cholesky, (s(3, N, N),), 3 * N**3 // 3),
    "qr": (jnp.linalg.qr, (s(3, M, N),), 3 * (R + REFLECTORS)),
    "whole qr": (
        partial(jnp.linalg.qr, mode="complete"),
        (s(M, N),),
        R + 4 * M * M * N - 2 * (M + M) * N**2 + 4 * N**3 // 3,
    ),
    "geqrf": (partial(jnp.linalg.qr, mode="raw"), (s(3, M, N),), 3 * R),
    "reflectors": (lax.linalg.householder_product, (s(3, M, N), s(3, N)), 3 * REFLECTORS),
}


@pytest.mark.parametrize("name", {**PRODUCTS, **CONVOLUTIONS, **LINALG})
def test_each_formula_is_the_hand_count(name: str) -> None:
    fn, args, by_hand = {**PRODUCTS, **CONVOLUTIONS, **LINALG}[name]
    assert flops(fn, *args) == by_hand


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    more=st.tuples(st.integers(0, 4), st.integers(0, 4)),
    stride=st.integers(1, 3),
    dilation=st.integers(1, 2),
    padding=st.integers(0, 2),
    groups=st.integers(1, 2),
    batch=st.integers(1, 3),
)
def test_both_frameworks_count_a_convolution_and_its_gradients_alike(
    kernel: tuple[int, int],
    more: tuple[int, int],
    stride: int,
    dilation: int,
    padding: int,
    groups: int,
    batch: int,
) -> None:
    height, width = (dilation * (k - 1) + 1 + extra for k, extra in zip(kernel, more, strict=True))
    image, weight = (batch, 2 * groups, height, width), (3 * groups, 2, *kernel)

    def in_torch(x: Any, w: Any) -> Any:
        options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        return torch.autograd.grad(torch.nn.functional.conv2d(x, w, **options).sum(), (x, w))

    def in_jax(x: Any, w: Any) -> Any:
        y = lax.conv_general_dilated(
            x,
            w,
            (stride, stride),
            ((padding, padding),) * 2,
            rhs_dilation=(dilation, dilation),
            dimension_numbers=("NCHW", "OIHW", "NCHW"),
            feature_group_count=groups,
        )
        return y.sum()

    x, w = torch.zeros(image, requires_grad=True), torch.zeros(weight, requires_grad=True)
    counted = torch_work.flops(lambda: in_torch(x, w))
    assert counted == flops(jax.value_and_grad(in_jax, (0, 1)), s(*image), s(*weight))
    assert counted == 3 * flops(in_jax, s(*image), s(*weight)) > 0


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
    assert flops(fn, X, W) == products * ONE


def test_only_the_solve_of_a_custom_linear_solve_runs() -> None:
    def solve(apply: Any, b: Any) -> Any:
        return b + apply(b)

    def transposed(apply: Any, b: Any) -> Any:
        return b + apply(apply(apply(b)))

    def x(b: Any, w: Any) -> Any:
        return lax.custom_linear_solve(lambda v: v @ w, b, solve, transposed)

    assert flops(x, X, W) == ONE
    reverse = flops(lambda b, w: jax.grad(lambda b: x(b, w).sum())(b), X, W)
    assert reverse == (1 + 3) * ONE


def test_arrays_and_shapes_count_alike() -> None:
    assert flops(times(3), jnp.ones(X.shape), jnp.ones(W.shape)) == flops(times(3), X, W)


UNKNOWN: dict[str, tuple[Callable[..., Any], str]] = {
    "fft": (jnp.fft.fft, "the primitive fft is in no table: add it to jax_work.py"),
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
        flops(fn, W)


def test_a_primitive_with_two_jaxprs_has_no_rule() -> None:
    jaxpr = jax.make_jaxpr(jnp.tanh)(X)
    with pytest.raises(UnknownOp, match="holds 2 jaxprs instead of one"):
        _only_jaxpr("jit", {"one": jaxpr, "other": jaxpr})
