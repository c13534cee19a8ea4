"""Stabilised biconjugate gradients: the residual polynomials that define them, breakdowns, and products counted."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from impls import oracles
from impls.oracles.solves import bicgstab
from impls.problems import make
from tests.impls.frameworks import array, distance, flat, jit, module, run, to_numpy

N = 5


def solved(framework: str, A: np.ndarray, b: np.ndarray, **options: Any) -> Any:
    """A x = b for every row of b."""
    return compiled(framework, tuple(options.items()))(array(framework, A.T), array(framework, b))


@cache
def compiled(framework: str, options: tuple) -> Any:
    solver = module(framework, "linear_solvers").BiCGStab(**dict(options))

    def fn(matrix: Any, b: Any) -> Any:
        return solver(lambda v: v @ matrix, b)

    return jit(framework, fn)


def system(batch: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """I − J with J a rotation times 0.9, which is far from symmetric, and right-hand sides."""
    rng = np.random.default_rng(3)
    return np.eye(N) - 0.9 * np.linalg.qr(rng.normal(size=(N, N)))[0], rng.normal(size=(batch, N))


def krylov(A: np.ndarray, b: np.ndarray, k: int) -> np.ndarray:
    """Orthonormal columns that span b, A b, …, A^{k−1} b."""
    return np.linalg.qr(np.stack([np.linalg.matrix_power(A, m) @ b for m in range(k)], 1))[0]


@pytest.mark.parametrize("M", [1, 2, 3])
def test_the_oracle_is_what_defines_the_method(M: int) -> None:
    """r_M = (I − ω_M A) ⋯ (I − ω_1 A) ρ_M: BiCG's residual ρ_k, of x in span(b, …, A^{k−1} b), is orthogonal
    to b, Aᵀ b, …, (Aᵀ)^{k−1} b, and each ω_k makes (I − ω_k A) ⋯ (I − ω_1 A) ρ_k the shortest."""
    A, (b,) = system(batch=1)
    product = np.eye(N)
    for k in range(1, M + 1):
        V, W = krylov(A, b, k), krylov(A.T, b, k)
        rho = b - A @ V @ np.linalg.solve(W.T @ A @ V, W.T @ b)
        s = product @ rho
        omega = s @ A @ s / ((A @ s) @ (A @ s))
        product = product @ (np.eye(N) - omega * A)
    expected = np.linalg.solve(A, b - product @ rho)
    found = bicgstab(lambda v: v @ A.T, lambda v: v @ A, b[None], M)[0]
    assert distance(found, expected) < 1e-12


@pytest.mark.parametrize("kind", ["symmetric", "orthogonal"])
def test_exact_after_n_steps(framework: str, kind: str) -> None:
    problem = make("tanh", width=N, inputs=4, batch=3, gamma=0.95, kind=kind)
    found = run(framework, problem, "ift", K=40, linear_solver="bicgstab", M=N)[1]
    assert distance(found, flat(oracles.gradient(problem, "ift", K=40, linear_solver="dense"))) < 1e-10
    short = flat(oracles.gradient(problem, "ift", K=40, linear_solver="bicgstab", M=N - 3))
    assert distance(found, short) > 1e-6


def test_a_solved_sample_stays_where_it_is(framework: str) -> None:
    """One sample is zero, one in an invariant space of one dimension; the third takes all n steps."""
    A, b = system()
    A[0], A[:, 0] = 0, 0
    A[0, 0] = 2
    b[0], b[1] = 0, 0
    b[1, 0] = 1
    found = solved(framework, A, b, steps=9)
    assert distance(to_numpy(found.value), np.linalg.solve(A, b.T).T) < 1e-13
    assert np.array_equal(to_numpy(found.value)[:2], [np.zeros(N), np.eye(N)[0] / 2])
    assert 0 < float(found.residual) < 1e-13


def test_a_breakdown_is_told_and_makes_no_nan(framework: str) -> None:
    """b·A b = 0 for a rotation by a right angle: no step can be taken, in the middle of others that can."""
    A = np.array([[0.0, -1.0], [1.0, 0.0]])
    b = np.array([[1.0, 0.0], [0.0, 0.0], [-2.0, 3.0]])
    found = solved(framework, A, b, steps=4, tol=1e-10)
    assert np.array_equal(to_numpy(found.value), np.zeros((3, 2)))
    assert float(found.residual) == 1
    assert not bool(found.converged)


def test_a_small_right_hand_side(framework: str) -> None:
    """Its squares underflow."""
    A, b = system()
    usual, small = (solved(framework, A, s * b, steps=9) for s in (1.0, 2.0**-600))
    assert np.array_equal(to_numpy(small.value), to_numpy(usual.value) * 2.0**-600)


def test_two_products_a_step_counted_by_calls() -> None:
    A, b = system()
    matrix, calls = torch.from_numpy(A.T), []

    def product(v: torch.Tensor) -> torch.Tensor:
        calls.append(v)
        return v @ matrix

    module("torch", "linear_solvers").BiCGStab(steps=4)(product, torch.from_numpy(b))
    assert len(calls) == 8


def test_convergence_is_that_of_x_and_not_of_the_recursion(framework: str) -> None:
    """α = 1/δ is huge where b·A b nearly vanishes, and takes the digits of x with it."""
    A = array(framework, np.array([[1e-5, 1.0], [-1.0, 1e-5]]), "float32")
    b = array(framework, np.array([[1.0, 0.0]]), "float32")
    found = module(framework, "linear_solvers").LINEAR_SOLVERS["bicgstab"](steps=4, tol=1e-6)(lambda v: v @ A.T, b)
    left = np.linalg.norm(to_numpy(b).astype("float64") - to_numpy(found.value).astype("float64") @ to_numpy(A).T)
    assert float(found.residual) == pytest.approx(left, abs=1e-6)  # ‖b‖ = 1
    assert bool(found.converged) == (float(found.residual) <= 1e-6)
