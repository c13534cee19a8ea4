"""Forward gradients: exact along each tangent, unbiased, and as noisy as theory says."""

from __future__ import annotations

import itertools
from functools import cache
from typing import Any

import jax
import numpy as np
import pytest
import torch

from tests.impls.frameworks import answer, distance, flat, jit, loss, module, run, small, tangent, tree, unflat

TINY = {"depth": 1, "inputs": 3, "classes": 2, "batch": 3}
"""A net of n = 8 parameters."""
DRAWS = 2000


def along(framework: str, vectors: np.ndarray) -> np.ndarray:
    """The forward gradients of the tiny net, one for each row of ``vectors``."""
    problem = small("mlp", **TINY)
    fn = module(framework, "gradients.forward_gradient").value_and_grad(loss(framework, "mlp", None), tangents="given")
    params, batch = tree(framework, problem.params), tree(framework, dict(problem.batch))
    if framework == "jax":
        stacked = tree("jax", columns(vectors, problem.params))
        grads = jit("jax", jax.vmap(lambda v: fn(params, batch, v)[1]))(stacked)
        return np.stack([flat(jax.tree.map(lambda g, i=i: g[i], jax.device_get(grads))) for i in range(len(vectors))])
    return np.stack([flat(fn(params, batch, tree("torch", unflat(v, problem.params)))[1]) for v in vectors])


def columns(vectors: np.ndarray, like: Any) -> Any:
    """Many tangents as one nest with a leading axis."""
    one = unflat(np.arange(vectors.shape[1]), like)
    return [{key: vectors[:, index] for key, index in layer.items()} for layer in one]


def truth(framework: str) -> np.ndarray:
    return run(framework, small("mlp", **TINY), "backprop")[1]


def drawn(framework: str, law: str, params: Any, seed: int) -> Any:
    rng = torch.Generator().manual_seed(seed) if framework == "torch" else jax.random.key(seed)
    return law_of(framework, law)(rng, params)


@cache
def law_of(framework: str, law: str) -> Any:
    found = module(framework, "tangents").LAWS[law]
    return jit(framework, found)


def test_the_derivative_is_the_inner_product(framework: str) -> None:
    problem = small("mlp")
    v = tangent(problem)
    directional = module(framework, "gradients.forward_gradient").directional
    value, derivative, _ = directional(
        loss(framework, "mlp", None),
        tree(framework, problem.params),
        tree(framework, dict(problem.batch)),
        tree(framework, v),
    )
    expected, grads = answer(framework, "mlp", "backprop")
    assert float(value) == pytest.approx(expected, rel=1e-14)
    assert float(derivative) == pytest.approx(grads @ flat(v), rel=1e-12)


@pytest.mark.parametrize("adjoint", ["unrolled", "ift", "jfb"])
def test_through_every_adjoint(framework: str, adjoint: str) -> None:
    v = flat(tangent(small("tanh")))
    options = {"M": 60} if adjoint == "ift" else {}
    grads = answer(framework, "tanh", "backprop", adjoint=adjoint, **options)[1]
    found = answer(framework, "tanh", "forward_gradient", along=True, adjoint=adjoint, **options)[1]
    assert distance(found, (grads @ v) * v) < 1e-12


def test_basis_tangents_sum_to_the_gradient(framework: str) -> None:
    assert distance(along(framework, np.eye(8)).sum(0), truth(framework)) < 1e-12


@pytest.mark.parametrize("count", [3, 16])
def test_the_law_basis(framework: str, count: int) -> None:
    """n/count times the first entries of the gradient; all of it once every index has come as often as any other."""
    problem = small("mlp", **TINY)
    params, batch = tree(framework, problem.params), tree(framework, dict(problem.batch))
    fn = module(framework, "gradients.forward_gradient").value_and_grad(
        loss(framework, "mlp", None), tangents="basis", count=count
    )
    fn, rng = (fn, torch.Generator()) if framework == "torch" else (jit("jax", fn), jax.random.key(0))
    expected = np.where(np.arange(8) < count, max(8 / count, 1) * truth(framework), 0)
    assert distance(flat(fn(params, batch, rng)[1]), expected) < 1e-14


def test_all_rademacher_tangents(framework: str) -> None:
    """Over all 2ⁿ of them the mean is ∇L and the relative squared error n − 1, exactly."""
    grads, gradient = along(framework, np.array(list(itertools.product([-1.0, 1.0], repeat=8)))), truth(framework)
    assert distance(grads.mean(0), gradient) < 1e-12
    errors = ((grads - gradient) ** 2).sum(1) / (gradient**2).sum()
    assert errors.mean() == pytest.approx(7, rel=1e-12)


@pytest.mark.parametrize(("law", "expected"), [("gaussian", 9), ("sphere", 7)])
@pytest.mark.few(2)
def test_the_error_of_random_tangents(framework: str, law: str, expected: int) -> None:
    problem = small("mlp", **TINY)
    params = tree(framework, problem.params)
    if framework == "torch":
        rng = torch.Generator().manual_seed(0)
        vectors = np.stack([flat(law_of("torch", law)(rng, params)) for _ in range(DRAWS)])
    else:
        keys = jax.random.split(jax.random.key(0), DRAWS)
        many = jax.vmap(lambda key: module("jax", "tangents").LAWS[law](key, params))(keys)
        many = jax.device_get(many)
        vectors = np.stack([flat(jax.tree.map(lambda v, i=i: v[i], many)) for i in range(DRAWS)])
    grads, gradient = along(framework, vectors), truth(framework)
    errors = ((grads - gradient) ** 2).sum(1) / (gradient**2).sum()
    assert abs(errors.mean() - expected) < 4 * errors.std() / np.sqrt(DRAWS)
    mean = np.abs(grads.mean(0) - gradient) / (grads.std(0) / np.sqrt(DRAWS))
    assert mean.max() < 4


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.few(2)
def test_laws(framework: str, dtype: str) -> None:
    params = tree(framework, small("tanh").params, dtype)  # of fewer leaves, each of which jax compiles for
    n = flat(params).size
    assert set(flat(drawn(framework, "rademacher", params, 0))) == {-1.0, 1.0}
    sphere = flat(drawn(framework, "sphere", params, 0)).astype("float64")
    assert sphere @ sphere == pytest.approx(n, rel=1e-6 if dtype == "float32" else 1e-13)
    for law in module(framework, "tangents").LAWS:
        found = drawn(framework, law, params, 0)
        assert flat(found).dtype == np.dtype(dtype)
        assert np.array_equal(flat(found), flat(drawn(framework, law, params, 0)))
        assert np.array_equal(flat(found), flat(drawn(framework, law, params, 1))) == (law == "basis")


def test_count_averages_and_a_law_may_be_arrays(framework: str) -> None:
    problem = small("mlp", **TINY)
    vectors = np.random.default_rng(0).normal(size=(3, 8))
    params, batch = tree(framework, problem.params), tree(framework, dict(problem.batch))
    arrays = tree(framework, columns(vectors, problem.params))
    build = module(framework, "gradients.forward_gradient").value_and_grad
    bound = loss(framework, "mlp", None)
    expected = along(framework, vectors).mean(0)
    assert distance(flat(build(bound, tangents=arrays, count=3)(params, batch, None)[1]), expected) < 1e-13
    assert distance(flat(build(bound, tangents="given", count=3)(params, batch, arrays)[1]), expected) < 1e-13


def test_count_draws_different_tangents(framework: str) -> None:
    problem = small("mlp", **TINY)
    params, batch = tree(framework, problem.params), tree(framework, dict(problem.batch))
    fn = module(framework, "gradients.forward_gradient").value_and_grad(
        loss(framework, "mlp", None), tangents="rademacher", count=2
    )
    fn = jit(framework, fn)
    found = []
    for seed in range(8):
        rng = torch.Generator().manual_seed(seed) if framework == "torch" else jax.random.key(seed)
        found.append(flat(fn(params, batch, rng)[1]))
    # A single rademacher estimate has entries of one magnitude; the mean of two different ones mostly has not.
    assert any(np.ptp(np.abs(grads)) > 1e-6 for grads in found)


def test_given_arrays_are_left_alone(framework: str) -> None:
    problem = small("mlp", **TINY)
    params, batch = tree(framework, problem.params), tree(framework, dict(problem.batch))
    arrays = tree(framework, tangent(problem))
    before = flat(arrays).copy()
    bound = loss(framework, "mlp", None)
    fn = module(framework, "gradients.forward_gradient").value_and_grad(bound, tangents=arrays)
    fn(params, batch, None)
    assert np.array_equal(flat(arrays), before)
    assert np.array_equal(flat(params), flat(problem.params))


@pytest.mark.parametrize("shape", [(5,), (4095,), (4096,), (4099,), (65, 67)])
@pytest.mark.few(3)
def test_gaussian_numbers_in_jax_are_those_of_jax(shape: tuple[int, ...]) -> None:
    """To the bit, whether drawn at once or in pieces."""
    normal, key = module("jax", "tangents").normal, jax.random.key(sum(shape))
    like = jax.numpy.zeros(shape, "float32")
    assert np.array_equal(jax.jit(normal)(key, like), jax.random.normal(key, shape, "float32"))
