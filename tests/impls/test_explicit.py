"""Test functions at their starts and minima, sizes of the papers' nets, and pooling with ties."""

from __future__ import annotations

import jax
import numpy as np
import pytest
import torch
from torch.autograd import forward_ad

from impls import oracles
from impls.oracles.layers import max_pool
from impls.problems import MINIMA, STARTS, Problem, make
from tests.impls.frameworks import array, flat, jit, module, run, to_numpy

AT_START = {"beale": 1.5**2 + 2.25**2 + 2.625**2, "rosenbrock": 104.0}


def tied(shape: tuple[int, ...]) -> np.ndarray:
    """Whole numbers after a ReLU, most of them equal to a neighbour."""
    return np.maximum(np.random.default_rng(0).integers(-2, 3, shape), 0).astype(float)


@pytest.mark.parametrize("name", STARTS)
def test_starts(framework: str, name: str) -> None:
    assert run(framework, make(name), "backprop")[0] == oracles.loss(make(name)) == AT_START[name]


@pytest.mark.parametrize("name", STARTS)
def test_minima(framework: str, name: str) -> None:
    at = Problem(name, {}, {"xy": np.array(MINIMA[name])}, {})
    value, grads = run(framework, at, "backprop")
    assert (value, *grads) == (oracles.loss(at), *flat(oracles.gradient(at, "backprop"))) == (0, 0, 0)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("logistic", 7_850),
        ("mlp", 1_863_690),
        ("cnn", 640 + 3 * 36_928 + 3_136 * 1_024 + 1_024 + 10_250),
        ("beale", 2),
        ("rosenbrock", 2),
    ],
)
def test_parameters_at_the_sizes_of_the_papers(name: str, parameters: int) -> None:
    assert sum(leaf.size for leaf in jax.tree.leaves(make(name, seed=None).params)) == parameters


def pooled(kind: str, x: np.ndarray, g: np.ndarray, v: np.ndarray, size: int) -> tuple[np.ndarray, ...]:
    """(value, gᵀ J, J v) of pooling in jax, or in torch with the axes in memory in this order: there torch has a kernel
    of its own for each."""
    if kind == "jax":
        pool = module("jax", "ops").max_pool

        def both(x: jax.Array, g: jax.Array, v: jax.Array) -> tuple[jax.Array, ...]:
            value, pull = jax.vjp(lambda image: pool(image, size), x)
            return value, pull(g)[0], jax.jvp(lambda image: pool(image, size), (x,), (v,))[1]

        return tuple(map(to_numpy, jit("jax", both)(x, g, v)))
    pool, at = module("torch", "ops").max_pool, array("torch", x)
    if kind == "torch NCHW":
        at = at.permute(0, 3, 1, 2).contiguous().permute(0, 2, 3, 1)
    value = pool(at.requires_grad_(), size)
    (pulled,) = torch.autograd.grad(value, at, array("torch", g))
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(at.detach(), array("torch", v))
        return tuple(map(to_numpy, (value, pulled, forward_ad.unpack_dual(pool(dual, size)).tangent)))


@pytest.mark.parametrize(("shape", "size"), [((2, 4, 4, 3), 2), ((2, 7, 8, 3), 3)])
@pytest.mark.parametrize("kind", ["torch NHWC", "torch NCHW", "jax"])
def test_pooling_gives_the_first_of_equals_the_derivative(kind: str, shape: tuple[int, ...], size: int) -> None:
    x, v = tied(shape), np.random.default_rng(1).normal(size=shape)
    expected, back = max_pool(x, size)
    g = np.random.default_rng(2).normal(size=expected.shape)
    value, pulled, slope = pooled(kind, x, g, v, size)
    rows, columns = expected.shape[1:3]
    chosen = (back(np.ones_like(expected)) * v)[:, : rows * size, : columns * size]
    assert np.array_equal(value, expected)
    assert np.array_equal(pulled, back(g))
    assert np.array_equal(slope, chosen.reshape(len(x), rows, size, columns, size, -1).sum((2, 4)))


def test_the_oracle_of_pooling_is_the_first_maximum_of_each_window() -> None:
    """Pixel by pixel."""
    x = tied((1, 5, 4, 2))
    expected, back = max_pool(x, 2)
    marked = back(np.ones_like(expected))
    assert expected.shape == (1, 2, 2, 2)
    for row, column, channel in np.ndindex(2, 2, 2):
        window = x[0, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2, channel]
        assert expected[0, row, column, channel] == window.max()
        places = marked[0, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2, channel].ravel().tolist()
        assert places == [float(k == window.ravel().tolist().index(window.max())) for k in range(4)]
    assert not marked[0, 4].any()


def test_pooling_hides_no_nan(framework: str) -> None:
    for place in range(4):
        x = np.zeros((1, 2, 2, 1))
        x.flat[place] = np.nan
        assert np.isnan(to_numpy(module(framework, "ops").max_pool(array(framework, x), 2))).all()
