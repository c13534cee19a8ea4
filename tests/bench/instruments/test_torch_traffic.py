"""Memory traffic in torch, to the byte: whole calls that a reader can count by hand, and single operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.autograd.forward_ad as fwd
from hypothesis import given
from hypothesis import strategies as st

from bench.instruments.counting import Regions
from bench.instruments.torch_work import _add, traffic
from tests.bench import plain_torch

WIDTH, BATCH = plain_torch.WIDTH, plain_torch.BATCH
A, P = 4 * BATCH * WIDTH, 4 * WIDTH * WIDTH
"""Bytes of an activation and of a weight."""

STEP = (2 * A + P) + 3 * A + 2 * A
"""tanh(z W + q): the product, the sum, tanh."""


@pytest.fixture(params=["cpu", "meta"])
def device(request: pytest.FixtureRequest) -> str:
    return request.param


def draw(device: str, *shape: int) -> torch.Tensor:
    return plain_torch.draw(*shape, device=device)


def test_a_product_reads_both_factors_and_writes_one_result(device: str) -> None:
    x, w = draw(device, BATCH, WIDTH), draw(device, WIDTH, WIDTH)
    assert traffic(lambda: x @ w) == A + P + A


def test_a_sparse_factor_is_read_as_its_values_and_indices() -> None:
    """Two entries: 2 floats and 2·2 numbers of places, 3·2 floats of the other factor, 3·2 of the result."""
    one = torch.tensor([[0, 2.0, 0], [0, 0, 3.0], [0, 0, 0]]).to_sparse()
    other = torch.ones(3, 2)
    assert traffic(lambda: torch.mm(one, other)) == (2 * 4 + 4 * 8) + 3 * 2 * 4 + 3 * 2 * 4


def test_a_layer_is_three_operations(device: str) -> None:
    x, w, b = draw(device, BATCH, WIDTH), draw(device, WIDTH, WIDTH), draw(device, WIDTH)
    assert traffic(lambda: torch.tanh(x @ w + b)) == STEP - A + 4 * WIDTH


@pytest.mark.parametrize("K", [1, 20])
def test_a_solve_is_its_steps_and_the_zeros_that_it_starts_from(K: int, device: str) -> None:
    w, q = draw(device, WIDTH, WIDTH), draw(device, BATCH, WIDTH)
    assert traffic(lambda: plain_torch.solve(K, w, q)) == A + K * STEP


@pytest.mark.parametrize("depth", [1, 4])
def test_backprop(depth: int, device: str) -> None:
    weights = plain_torch.leaves([draw(device, WIDTH, WIDTH) for _ in range(depth)])
    x = draw(device, BATCH, WIDTH)
    product, tanh = 2 * A + P, 2 * A
    forward = depth * (product + tanh) + 2 * A + (A + 4)
    assert traffic(lambda: plain_torch.net([weight.detach() for weight in weights], x)) == forward
    # 1; the mean's cotangent, from one number; both factors of x x and their sum; a layer's tanh and its two products,
    # but for the first layer's, whose data need no gradient.
    backward = 4 + (4 + A) + (3 + 3 + 3) * A + depth * (3 * A + 2 * product) - product
    assert traffic(lambda: plain_torch.backprop(weights, x)) == forward + backward


@pytest.mark.parametrize("K", [2, 20])
def test_jfb_is_a_solve_and_the_backward_pass_of_one_step(K: int, device: str) -> None:
    weights, x = plain_torch.leaves([draw(device, WIDTH, WIDTH)] * 2), draw(device, BATCH, WIDTH)
    product = 2 * A + P
    forward = product + A + K * STEP + 2 * A + (A + 4)
    # As in backprop, with one tanh and the products of W and U.
    assert traffic(lambda: plain_torch.jfb(K, weights, x)) == forward + 4 + (4 + A) + 9 * A + 3 * A + 2 * product


def t(*shape: int) -> torch.Tensor:
    return torch.ones(*shape)


X, Y, BIG = t(4, 5), t(4, 5), t(10, 10)
ONE = 4 * 4 * 5
"""Bytes of X."""

MOVED: dict[str, tuple[Callable[[], Any], int]] = {
    "two arguments": (lambda: X + Y, 3 * ONE),
    "one argument twice": (lambda: X * X, 2 * ONE),
    "an argument and its transpose": (lambda: X @ X.T, ONE + 4 * 4 * 4),
    "an expanded row": (lambda: X + t(5).expand(4, 5), (4 * 5) + 2 * ONE + 4 * 5),
    "parts of one array": (lambda: BIG[:4] + BIG[4:8], 3 * 4 * 40),
    "overlapping parts, at most the whole": (lambda: BIG[:8] + BIG[2:], 4 * 100 + 4 * 80),
    "overlapping windows": (lambda: t(10).unfold(0, 4, 1) * 2, 4 * (10 + 10 + 28)),
    "a list": (lambda: torch.cat([X, Y, X]), 2 * ONE + 3 * ONE),
    "a number": (lambda: X.sum(), ONE + 4),
    "float64": (lambda: X.double(), ONE + 2 * ONE),
    "several results": (lambda: torch.var_mean(X, 0), ONE + 2 * 4 * 5),
    "in place": (lambda: X.mul_(1), 2 * ONE),
    "in place of a part": (lambda: BIG[:4].add_(1), 2 * 4 * 40),
    "a list in place": (lambda: torch._foreach_add_([X, Y], 0.0), 4 * ONE),
    "into a result": (lambda: torch.add(X, Y, out=torch.empty(4, 5)), 3 * ONE),
    "a copy": (lambda: Y.copy_(X), 2 * ONE),
    "written over": (lambda: Y.fill_(1), ONE),
    "zeros": (lambda: torch.zeros(4, 5), ONE),
    "of another's shape": (lambda: (torch.ones_like(X), X.new_zeros(4, 5)), 2 * ONE),
    "random": (lambda: torch.randn(4, 5), ONE),
    "views": (lambda: X.reshape(2, 2, 5).detach()[1:, None].expand(1, 4, 2, 5).unbind(0), 0),
    "views that copy": (lambda: X.T.reshape(20), 2 * ONE),
    "allocations": (lambda: (torch.empty(3), torch.empty_like(X), X.new_empty(2)), 0),
    "nothing": (lambda: torch.ones(0) + 1, 0),
}


@pytest.mark.parametrize("name", MOVED)
def test_what_an_operation_moves(name: str) -> None:
    fn, by_hand = MOVED[name]
    assert traffic(fn) == by_hand


def test_an_operation_that_someone_registers_moves_its_arguments() -> None:
    with torch.library._scoped_library("gradratio_traffic", "FRAGMENT") as library:
        library.define("secret(Tensor x, *, Tensor y) -> Tensor")
        library.impl("secret", lambda x, y: x + y, "CPU")
        assert traffic(lambda: torch.ops.gradratio_traffic.secret(X, y=Y)) == 3 * ONE


def test_inference_mode_divides_composite_operations_too() -> None:
    x, w = t(2, 3, 5), t(5, 7)

    def inferred() -> Any:
        with torch.inference_mode():
            return x @ w

    assert traffic(inferred) == traffic(lambda: x @ w) == 4 * (30 + 35 + 42)


def test_forward_mode_multiplies_zeros_that_are_not_there() -> None:
    w = t(5, 5)

    def one() -> None:
        with fwd.dual_level():
            X @ fwd.make_dual(w, w)

    # x w and x ẇ; ẋ w, whose ẋ = 0 is one number, written and read; and the sum of the last two.
    assert traffic(one) == 2 * (2 * ONE + 100) + (4 + 4 + 100 + ONE) + 3 * ONE


@given(
    st.lists(st.integers(0, 4), max_size=3),
    st.lists(st.integers(0, 5), min_size=3, max_size=3),
    st.integers(0, 3),
)
def test_no_more_than_the_storage_and_no_less_than_the_distinct_elements(
    shape: list[int], strides: list[int], offset: int
) -> None:
    storage = torch.arange(80)
    view = storage.as_strided(shape, strides[: len(shape)], offset)
    regions = Regions()
    _add(regions, view)
    distinct = 8 * view.unique().numel()
    assert distinct <= regions.bytes <= min(8 * max(1, view.numel()), 8 * 80)
    if view.is_contiguous():
        assert regions.bytes == distinct
