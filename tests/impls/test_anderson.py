"""Anderson acceleration: GMRES on a linear problem, the secant method on a number, and windows that are singular."""

from __future__ import annotations

from functools import cache
from typing import Any

import jax
import numpy as np
import pytest
import torch

from impls import oracles
from impls.oracles.solves import gmres, mixed
from tests.impls.frameworks import array, distance, jit, module, run, small, to_numpy
from tests.impls.test_errors import sentence

N, BATCH = 6, 3
SMALL = 1e-15
"""A ridge that is nothing."""


def systems() -> tuple[np.ndarray, np.ndarray]:
    """Maps J with ‖J‖ = 0.9, and right-hand sides."""
    rng = np.random.default_rng(5)
    J = rng.normal(size=(BATCH, N, N))
    return 0.9 * J / np.linalg.norm(J, 2, axis=(1, 2))[:, None, None], rng.normal(size=(BATCH, N))


def exact(J: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.linalg.solve(np.eye(N) - J, b[:, :, None])[:, :, 0]


def times(J: Any, v: Any) -> Any:
    return (J @ v[:, :, None])[:, :, 0]


@cache
def compiled(framework: str, options: tuple) -> Any:
    solver = module(framework, "linear_solvers").AndersonLinear(**dict(options))

    def fn(J: Any, b: Any) -> Any:
        return solver(lambda v: v - times(J, v), b)

    return jit(framework, fn)


def solved(framework: str, J: np.ndarray, b: np.ndarray, dtype: str = "float64", **options: Any) -> Any:
    fn = compiled(framework, tuple(options.items()))
    return fn(array(framework, J, dtype), array(framework, b, dtype))


def iterated(framework: str, f: Any, z0: np.ndarray, **options: Any) -> np.ndarray:
    """z_{K−1} of the forward solver."""
    solver = module(framework, "solvers").Anderson(**options)
    return to_numpy(solver(f, array(framework, z0))[0])


def reference(f: Any, z: np.ndarray, steps: int, **options: Any) -> np.ndarray:
    """z_{K−1} of the oracle's update."""
    states, images = [z], []
    for _ in range(steps - 1):
        images.append(f(states[-1]))
        states.append(mixed(states, images, **options))
    return states[-1]


@pytest.mark.parametrize(("framework", "k"), [("torch", 1), ("torch", 3), ("jax", 3), ("torch", N)])
def test_with_all_differences_it_is_gmres(framework: str, k: int) -> None:
    """x_{k+1} = b + J x_k with GMRES's x_k, so that n + 1 terms are exact. Source: Walker and Ni 2011, theorem 2.2."""
    J, b = systems()
    best = gmres(lambda v: v - times(J, v), lambda v: v, b, k)
    found = to_numpy(solved(framework, J, b, steps=k + 1, memory=N, ridge=SMALL).value)
    assert distance(found, b + times(J, best)) < 1e-12
    assert (distance(found, exact(J, b)) < 1e-12) == (k == N)


def test_a_window_that_has_moved_on(framework: str) -> None:
    J, b = systems()
    found = to_numpy(solved(framework, J, b, steps=7, memory=2).value)
    expected, other = (reference(lambda x: b + times(J, x), 0 * b, 8, memory=memory) for memory in (2, 3))
    assert distance(found, expected) < 1e-12
    assert distance(found, other) > 1e-6


def test_a_nonlinear_map(framework: str) -> None:
    """A window that has moved on, in the forward solver."""
    J, q = systems()
    tanh, own = {"torch": torch.tanh, "jax": jax.numpy.tanh}[framework], array(framework, J)
    shift = array(framework, q)
    found = iterated(framework, lambda z: tanh(times(own, z) + shift), 0 * q, steps=7, memory=2)
    expected = reference(lambda z: np.tanh(times(J, z) + q), 0 * q, 7, memory=2)
    assert distance(found, expected) < 1e-12


def test_of_one_number_it_is_the_secant_method() -> None:
    z = [np.array([[0.1], [0.6], [1.2]])]
    z.append(np.cos(z[0]))
    for _ in range(3):
        r, before = np.cos(z[-1]) - z[-1], np.cos(z[-2]) - z[-2]
        z.append(z[-1] - r * (z[-1] - z[-2]) / (r - before))
    found = iterated("torch", torch.cos, z[0], steps=5, memory=1, ridge=SMALL)
    assert distance(found, z[4]) < 1e-12


def test_a_singular_window_does_no_harm(framework: str) -> None:
    """J of rank one, rank two and zero: all further differences are dependent, and rounding alone in the end."""
    J, b = systems()
    for i, rank in enumerate((1, 2, 0)):
        u, s, v = np.linalg.svd(J[i])
        J[i] = (u[:, :rank] * s[:rank]) @ v[:rank]
    found = solved(framework, J, b, "float32", steps=40)
    assert distance(to_numpy(found.value), exact(J, b)) < 10 * np.finfo("float32").eps
    assert float(found.residual) < 10 * np.finfo("float32").eps


def test_a_small_right_hand_side(framework: str) -> None:
    """Its squares underflow."""
    J, b = systems()
    usual, small = (solved(framework, J, s * b, steps=7, memory=2) for s in (1.0, 2.0**-600))
    assert np.array_equal(to_numpy(small.value), to_numpy(usual.value) * 2.0**-600)


def test_no_product_for_the_first_term() -> None:
    J, b = systems()
    matrix, calls = torch.from_numpy(J), []

    def product(v: torch.Tensor) -> torch.Tensor:
        calls.append(v)
        return v - times(matrix, v)

    solver = module("torch", "linear_solvers").AndersonLinear
    assert np.array_equal(to_numpy(solver(steps=1)(product, torch.from_numpy(b)).value), b)
    assert calls == []
    solver(steps=7)(product, torch.from_numpy(b))
    assert len(calls) == 6


@pytest.mark.parametrize("method", ["unrolled", "ift_reused"])
def test_methods_that_it_does_not_fit(framework: str, method: str) -> None:
    with pytest.raises(ValueError, match=f"{method} .* Anderson.* or use ift") as caught:
        run(framework, small("tanh"), method, K=4, solver="anderson")
    sentence(caught)


@pytest.mark.parametrize("bad", [{"memory": 0}, {"memory": 2.0}, {"memory": True}, {"ridge": 0.0}, {"ridge": -1.0}])
def test_bad_windows(framework: str, bad: dict[str, Any]) -> None:
    for kind in (module(framework, "solvers").Anderson, module(framework, "linear_solvers").AndersonLinear):
        with pytest.raises(ValueError, match=f"{kind.__name__}: {next(iter(bad))} must be") as caught:
            kind(**bad)
        sentence(caught)


def test_the_oracle_does_not_unroll_it() -> None:
    with pytest.raises(ValueError, match="unrolled has no oracle with anderson") as caught:
        oracles.gradient(small("tanh"), "unrolled", K=3, solver="anderson")
    sentence(caught)
