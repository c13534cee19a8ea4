"""Solves know no scale: s·b has the solution s·x for every sample's own s; and a residual is that of its own x."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import jax
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.own.nest import eps
from tests.impls.frameworks import FRAMEWORKS, array, distance, jit, linear_solver, module, to_numpy

N, BATCH, M = 5, 4, 4
SOLVERS = ("picard", "gmres", "dense", "normal_cg", "normal_cg_published", "bicgstab", "anderson")
FORWARD = ("picard", "newton", "anderson")
EPS = float(np.finfo("float32").eps)


def systems(condition: float | None = None, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """I − J with ‖J‖ = ½, or matrices of that condition number, and right-hand sides."""
    rng = np.random.default_rng(seed)
    J, b = rng.normal(size=(BATCH, N, N)), rng.normal(size=(BATCH, N))
    if condition is None:
        return np.eye(N) - 0.5 * J / np.linalg.norm(J, 2, axis=(1, 2))[:, None, None], b
    u, _, v = np.linalg.svd(J)
    return u * np.geomspace(1, 1 / condition, N) @ v, b


@cache
def compiled(framework: str, name: str, steps: int, tol: float) -> Any:
    solver = linear_solver(framework, name, steps, tol)
    return jit(framework, lambda matrix, b: solver(lambda v: (matrix @ v[:, :, None])[:, :, 0], b))


def solved(framework: str, name: str, A: np.ndarray, b: np.ndarray, steps: int = M, tol: float = 0.0) -> Any:
    """In float32."""
    return compiled(framework, name, steps, tol)(*(array(framework, one, "float32") for one in (A, b)))


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("name", SOLVERS)
@given(exponents=st.lists(st.integers(-100, 100), min_size=BATCH, max_size=BATCH), zero=st.integers(0, BATCH))
@settings(max_examples=15, deadline=None)
@pytest.mark.few(6)
def test_each_sample_has_its_own_scale(framework: str, name: str, exponents: list[int], zero: int) -> None:
    """2^±100 is 1e±30: no sample, small, large or zero, changes another one."""
    A, b = systems()
    scales = np.exp2(np.array(exponents, float))
    scales[zero:][:1] = 0
    found, usual = (solved(framework, name, A, one) for one in (scales[:, None] * b, b))
    x, expected = to_numpy(found.value).astype(float), to_numpy(usual.value).astype(float)
    for one, other, scale in zip(x, expected, scales, strict=True):
        assert np.linalg.norm(one - scale * other) <= 10 * EPS * scale * np.linalg.norm(other)
    assert float(found.residual) <= float(usual.residual) * (1 + 1e-4) + 10 * EPS
    assert bool(found.converged)


@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.few(7)
def test_a_tolerance_means_the_same_at_every_scale(framework: str, name: str) -> None:
    A, b = systems()
    found = [solved(framework, name, A, s * b, 40, 1e-4) for s in (1.0, 2.0**-100, 2.0**100)]
    assert len({float(one.steps) for one in found}) == 1
    assert all(bool(one.converged) and float(one.residual) <= 1e-4 for one in found)
    for one, scale in zip(found, (1.0, 2.0**-100, 2.0**100), strict=True):
        assert distance(to_numpy(one.value) / scale, to_numpy(found[0].value)) < 10 * EPS


@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.few(10)
def test_short_floats_are_solved_to_their_own_rounding(framework: str, name: str, dtype: str) -> None:
    """No library factorises them; the condition number is 3 at most, and M = n takes rounding to its end."""
    A, b = systems()
    matrix, rhs = (short(framework, one, dtype) for one in (A, b))
    solver = linear_solver(framework, name, 40 if name in ("picard", "anderson") else N)
    found = jit(framework, lambda matrix, b: solver(lambda v: (matrix @ v[:, :, None])[:, :, 0], b))(matrix, rhs)
    x = numbers(found.value)
    exact = np.linalg.solve(numbers(matrix), numbers(rhs)[:, :, None])[:, :, 0]
    assert str(found.value.dtype).removeprefix("torch.") == dtype
    assert distance(x, exact) < 4 * eps(dtype) and float(found.residual) < 8 * eps(dtype)


@pytest.mark.parametrize("solver", FORWARD)
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.few(5)
def test_fixed_points_of_short_floats(framework: str, solver: str, dtype: str) -> None:
    """z = J z + q: value and gradient of Σ z/n, by ift with the dense solver and, of Newton, with its factors."""
    A, q = systems()
    J, q = short(framework, np.eye(N) - A, dtype), short(framework, q, dtype)
    made = module(framework, "solvers").SOLVERS[solver](steps=4 if solver == "newton" else 40)
    dense = module(framework, "linear_solvers").Dense()
    adjoints: list[Any] = [partial(module(framework, "adjoints.ift").fixed_point, linear_solver=dense)]
    if solver == "newton":
        adjoints.append(module(framework, "adjoints.ift_reused").fixed_point)
    exact = np.linalg.inv(np.eye(N) - numbers(J))
    for adjoint in adjoints:
        solved = partial(adjoint, lambda z, a: (a[0] @ z[:, :, None])[:, :, 0] + a[1], solver=made)

        def loss(a: Any, batch: Any, solved: Any = solved) -> Any:
            z = solved(0 * a[1], a).value
            return z.mean(), z

        fn = module(framework, "gradients.backprop").value_and_grad(loss)
        _, (_, g), z = jit(framework, lambda a, fn=fn: fn(a, None, None))((J, q))
        assert distance(numbers(z), (exact @ numbers(q)[:, :, None])[:, :, 0]) < 8 * eps(dtype)
        assert distance(numbers(g), exact.sum(1) / (BATCH * N)) < 8 * eps(dtype)


def short(framework: str, x: np.ndarray, dtype: str) -> Any:
    made = array(framework, x, "float32")
    return made.to(getattr(torch, dtype)) if framework == "torch" else made.astype(dtype)


def numbers(x: Any) -> np.ndarray:
    return np.asarray(x.detach().double() if isinstance(x, torch.Tensor) else x.astype("float32"), float)


@cache
def gradient(framework: str, name: str) -> Any:
    """Of a loss times s by a weight, through ``ift``."""
    ift, solvers = module(framework, "adjoints.ift"), module(framework, "solvers")
    tanh = torch.tanh if framework == "torch" else jax.numpy.tanh
    fixed_point = partial(ift.fixed_point, solver=solvers.Picard(40), linear_solver=linear_solver(framework, name, 40))

    def loss(W: Any, batch: Any) -> Any:
        x, s = batch
        return (fixed_point(lambda z, a: tanh(z @ a[0] + a[1]), 0 * x, (W, x)).value ** 2 * s).mean(), ()

    fn = module(framework, "gradients.backprop").value_and_grad(loss)
    return jit(framework, lambda W, x, s: fn(W, (x, s), None)[1])


@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.few(6)
def test_the_gradient_of_a_loss_at_every_scale(framework: str, name: str) -> None:
    rng = np.random.default_rng(0)
    J, x = 0.2 * rng.normal(size=(N, N)), rng.normal(size=(BATCH, N))

    def found(s: Any) -> np.ndarray:
        scales = np.broadcast_to(s, (BATCH, 1))
        return to_numpy(gradient(framework, name)(*(array(framework, one, "float32") for one in (J, x, scales))))

    usual = found(1.0)
    assert np.linalg.norm(usual) > 0.1
    for s in (1e-30, 1e-25, 1e-20, 1e25, 1e30):
        assert distance(found(s).astype(float) / s, usual) < 1e-5
    others = found([[1.0], [0.0], [1.0], [1.0]])
    assert distance(found([[1.0], [1e-30], [1.0], [1.0]]), others) < 1e-5  # a tiny sample spoils none of the others


@pytest.mark.parametrize("solver", FORWARD)
def test_a_forward_solve_at_every_scale(framework: str, solver: str) -> None:
    """z = J z + q with a q of any scale for each sample."""
    A, q = systems()
    J = array(framework, np.eye(N) - A, "float32")
    options = {"memory": 2} if solver == "anderson" else {}
    made = module(framework, "solvers").SOLVERS[solver](steps=5, **options)
    jfb = module(framework, "adjoints.jfb")

    def run(q: Any) -> Any:
        return jfb.fixed_point(lambda z, q: (J @ z[:, :, None])[:, :, 0] + q, 0 * q, q, solver=made)

    run = jit(framework, run)
    usual = run(array(framework, q, "float32"))
    for scale in (2.0**-100, 2.0**100, np.exp2([[-100.0], [0.0], [100.0], [30.0]])):
        found = run(array(framework, scale * q, "float32"))
        assert distance(to_numpy(found.value).astype(float) / scale, to_numpy(usual.value)) < 1e-5
        assert float(found.residual) == pytest.approx(float(usual.residual), rel=1e-3, abs=10 * EPS)
        assert bool(found.converged)


def test_ratios_of_any_two_scales(framework: str) -> None:
    ratio = module(framework, "norms").largest_ratio
    x = np.array([[3.0, 4.0], [0.0, 0.0]])

    def found(above: float, below: float) -> float:
        return float(ratio(array(framework, above * x, "float32"), array(framework, below * x, "float32")))

    for scale in (1e-35, 1e-20, 1.0, 1e20, 1e35):
        assert found(scale, scale) == pytest.approx(1, rel=1e-6)
        assert found(0, scale) == 0
        assert found(scale, 0) == np.inf
    assert found(1e-30, 1e-20) == pytest.approx(1e-10, rel=1e-5)
    assert found(0, 0) == 0
    assert np.isnan(found(np.nan, 1)) and np.isnan(found(1, np.nan))


def left(A: np.ndarray, b: np.ndarray, x: np.ndarray) -> tuple[float, float]:
    """The largest ‖b − A x‖/‖b‖ in float64, and what float32 may put beside it."""
    A, b, x = (one.astype("float32").astype(float) for one in (A, b, x))
    norm = partial(np.linalg.norm, axis=1)
    rounding = N * EPS * np.linalg.norm(A, 2, axis=(1, 2)) * norm(x) / norm(b)
    return float((norm(b - (A @ x[:, :, None])[:, :, 0]) / norm(b)).max()), float(rounding.max())


@pytest.mark.parametrize("tol", [0.0, 1e-5])
@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.few(10)
def test_a_residual_is_that_of_the_x_it_comes_with(framework: str, name: str, tol: float) -> None:
    """Also where recursions have parted from it: condition 1e7 in float32."""
    for seed in range(10):
        A, b = systems(1e7, seed)
        found = solved(framework, name, A, b, N, tol)
        true, rounding = left(A, b, to_numpy(found.value))
        assert float(found.residual) == pytest.approx(true, rel=1e-4, abs=rounding)
        assert bool(found.converged) == (float(found.residual) <= tol if tol else np.isfinite(true))


def test_a_tolerance_that_gmres_believes_to_meet_gives_nan(framework: str) -> None:
    """The residual of its recursion is 1e-8 here."""
    missed, solve = 0, module(framework, "linear_solvers").solve
    gmres = linear_solver(framework, "gmres", N, 1e-5)
    fn = jit(framework, lambda matrix, b: solve(gmres, lambda v: (matrix @ v[:, :, None])[:, :, 0], b))
    for seed in range(20):
        A, b = systems(1e7, seed)
        x = to_numpy(fn(*(array(framework, one, "float32") for one in (A, b))))
        true, rounding = (np.nan, 0.0) if np.isnan(x).all() else left(A, b, x)
        missed += bool(np.isnan(true))
        assert np.isnan(true) or true <= 1e-5 + rounding
    assert missed > 10


@pytest.mark.parametrize("name", SOLVERS)
def test_only_who_asks_for_a_residual_pays_for_it(name: str) -> None:
    """One product with A, but for the dense solver, which has the matrix; none again for the second who asks."""
    A, b = systems()
    matrix, calls = torch.from_numpy(A), []

    def product(v: torch.Tensor) -> torch.Tensor:
        calls.append(v)
        return (matrix @ v[:, :, None])[:, :, 0]

    module("torch", "linear_solvers").solve(linear_solver("torch", name, M), product, torch.from_numpy(b))
    without = len(calls)
    found = linear_solver("torch", name, M)(product, torch.from_numpy(b))
    assert len(calls) == 2 * without
    assert float(found.residual) == float(found.residual) and bool(found.converged)
    assert len(calls) == 2 * without + (name != "dense")
    calls.clear()
    module("torch", "linear_solvers").solve(linear_solver("torch", name, M, 1e-12), product, torch.from_numpy(b))
    assert len(calls) == without + (name != "dense")
