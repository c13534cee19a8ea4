"""The jax counter against hand counts, and against the torch counter on convolutions of every kind."""

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

from bench.instruments import torch_flops
from bench.instruments.jax_flops import count


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
    assert count(fn, *args) == by_hand


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
    counted = torch_flops.count(lambda: in_torch(x, w))
    assert counted == count(jax.value_and_grad(in_jax, (0, 1)), s(*image), s(*weight))
    assert counted == 3 * count(in_jax, s(*image), s(*weight)) > 0
