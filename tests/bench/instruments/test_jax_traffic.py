"""Memory traffic in jax, to the byte: whole programs that a reader can count by hand, and single primitives."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from jax import lax

from bench.instruments.counting import UnknownOp
from bench.instruments.jax_work import traffic
from tests.bench import plain_jax
from tests.bench.plain_jax import shaped

WIDTH, BATCH = plain_jax.WIDTH, plain_jax.BATCH
A, P = 4 * BATCH * WIDTH, 4 * WIDTH * WIDTH
"""Bytes of an activation and of a weight."""

X, W, B = shaped(BATCH, WIDTH), shaped(WIDTH, WIDTH), shaped(WIDTH)
PRODUCT, TANH = 2 * A + P, 2 * A
LOSS = 2 * A + (A + 4) + (4 + 4)
"""x x; its sum; that divided by a constant."""


def test_a_product_reads_both_factors_and_writes_one_result() -> None:
    assert traffic(jnp.matmul, X, W) == PRODUCT


def test_a_layer_is_three_equations() -> None:
    assert traffic(lambda x, w, b: jnp.tanh(x @ w + b), X, W, B) == PRODUCT + (2 * A + 4 * WIDTH) + TANH


@pytest.mark.parametrize("K", [1, 20])
@pytest.mark.parametrize("solve", [plain_jax.loop_solve, plain_jax.scan_solve])
def test_a_solve_is_its_steps_and_the_zeros_that_it_starts_from(solve: Any, K: int) -> None:
    step = 2 * PRODUCT + 3 * A + TANH  # x U is in every step of it
    assert traffic(partial(solve, K), W, W, X) == A + K * step


@pytest.mark.parametrize("depth", [1, 4])
def test_backprop(depth: int) -> None:
    weights = [W] * depth
    assert traffic(plain_jax.loop_net, weights, X) == depth * (PRODUCT + TANH) + LOSS
    # jax keeps 1 − y, and its rule for tanh is g (1 − y) + g (1 − y) y: three operations. From jax 0.11.2 on it keeps
    # 1 − y², and the rule is one product with it.
    rule = (9 if plain_jax.TANH == 2 else 3) * A
    layer = (PRODUCT + TANH + 2 * A) + rule + 2 * PRODUCT
    # 1 ÷ a constant; both factors of x x and their sum. The value of the loss is not asked for.
    assert traffic(jax.grad(plain_jax.loop_net), weights, X) == depth * layer - PRODUCT + 4 + 2 * (2 * A + 4) + 3 * A


S, V = shaped(4, 5), shaped(5)
ONE = 4 * 4 * 5
"""Bytes of S."""


@jax.custom_jvp
def own_jvp(x: Any) -> Any:
    return x + 1


own_jvp.defjvps(lambda t, out, x: t * 2)


@jax.custom_vjp
def own_vjp(x: Any) -> Any:
    return x + 1


own_vjp.defvjp(lambda x: (x + 1, None), lambda _, g: (g * 2,))


def turned(n: int) -> Callable[[Any], Any]:
    """x + 1, n times."""
    return lambda x: lax.fori_loop(0, n, lambda _, x: x + 1, x)


def solved(b: Any) -> Any:
    return lax.custom_linear_solve(lambda v: v * 2, b, lambda _, b: b + 1, lambda _, b: b + b)


MOVED: dict[str, tuple[Callable[[Any], Any], int]] = {
    "one argument": (lambda x: x + 1, 2 * ONE),
    "one argument twice": (lambda x: x * x, 2 * ONE),
    "an argument and its transpose": (lambda x: x @ x.T, ONE + 4 * 4 * 4),
    "a broadcast row": (lambda x: x + jnp.broadcast_to(x[0], x.shape), 2 * ONE),
    "a row of its own": (lambda x: (x + 1)[0] * 2, 2 * ONE + 2 * 4 * 5),
    "parts of one array": (lambda x: x[:2] + x[2:], ONE + ONE // 2),
    "overlapping parts, at most the whole": (lambda x: x[:3] + x[1:], ONE + 3 * ONE // 4),
    "views": (lambda x: lax.stop_gradient(x.reshape(5, 4).T)[None, :, 1], 0),
    "zeros": (lambda x: jnp.zeros_like(x), ONE),
    "what nothing depends on": (lambda x: (jnp.sin(x), x + 1)[1], 2 * ONE),
    "jit": (jax.jit(lambda x: x + 1), 2 * ONE),
    "remat": (jax.checkpoint(lambda x: x + 1), 2 * ONE),
    "own jvp": (own_jvp, 2 * ONE),
    "own jvp, differentiated": (lambda x: jax.jvp(own_jvp, (x,), (x,)), 4 * ONE),
    "own vjp": (own_vjp, 2 * ONE),
    "own vjp, differentiated": (lambda x: jax.vjp(own_vjp, x)[1](x), 2 * ONE),
    "scan": (turned(7), 14 * ONE),
    "scan in scan": (lambda x: lax.fori_loop(0, 3, lambda _, x: turned(7)(x), x), 42 * ONE),
    "scan that drops what it computes": (
        lambda x: lax.scan(lambda x, _: (x + 1, jnp.sin(x)), x, None, 7)[0],
        14 * ONE,
    ),
    "the dearest branch": (
        lambda x: lax.switch(0, [lambda x: x, lambda x: x + 1 + 1, lambda x: x + 1], x),
        4 * ONE + 4,  # and the index, clamped
    ),
    "an update in place": (lambda x: lax.dynamic_update_slice(x, x[:1] * 2, (0, 0)), 2 * 20 + 2 * 20),
    "a solve": (solved, 2 * ONE),
}


@pytest.mark.parametrize("name", MOVED)
def test_what_an_equation_moves(name: str) -> None:
    fn, by_hand = MOVED[name]
    assert traffic(fn, S) == by_hand


def test_arrays_and_shapes_count_alike() -> None:
    assert traffic(turned(3), jnp.ones(S.shape, S.dtype)) == traffic(turned(3), S)


def test_a_key_is_read_too() -> None:
    assert traffic(lambda key: jax.random.bits(key, (4, 5), "uint32"), jax.random.key(0)) == 8 + ONE


def test_a_loop_that_stops_when_it_likes_is_an_error() -> None:
    with pytest.raises(UnknownOp, match="no known number of turns: give the solver tol=0"):
        traffic(lambda x: lax.while_loop(lambda x: x.sum() > 0, lambda x: x - 1, x), S)
