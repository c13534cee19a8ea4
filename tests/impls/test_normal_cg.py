"""Conjugate gradients on the normal equations: exact, safe in a breakdown, and as many products as it says."""

from __future__ import annotations

from collections import Counter
from typing import Any

import jax
import numpy as np
import pytest
import torch

from impls import oracles
from impls.problems import make
from tests.impls.frameworks import array, distance, flat, module, run, to_numpy

N, BATCH = 5, 3
NAMES = ("normal_cg", "normal_cg_published")


def solved(framework: str, name: str, A: np.ndarray, b: np.ndarray, dtype: str = "float64", **options: Any) -> Any:
    """A x = b for every row of b."""
    solver = module(framework, "linear_solvers").LINEAR_SOLVERS[name](**options)
    matrix = array(framework, A.T, dtype)
    return solver(lambda v: v @ matrix, array(framework, b, dtype))


def system() -> tuple[np.ndarray, np.ndarray]:
    """I − J with J a rotation times 0.9, which is far from symmetric, and right-hand sides."""
    rng = np.random.default_rng(3)
    return np.eye(N) - 0.9 * np.linalg.qr(rng.normal(size=(N, N)))[0], rng.normal(size=(BATCH, N))


@pytest.mark.parametrize("kind", ["symmetric", "orthogonal"])
def test_exact_after_n_steps(framework: str, kind: str) -> None:
    problem = make("tanh", width=N, inputs=4, batch=BATCH, gamma=0.95, kind=kind)
    found = run(framework, problem, "ift", K=40, linear_solver="normal_cg", M=N)[1]
    assert distance(found, flat(oracles.gradient(problem, "ift", K=40, linear_solver="dense"))) < 1e-10
    short = flat(oracles.gradient(problem, "ift", K=40, linear_solver="normal_cg", M=N - 2))
    assert distance(found, short) > 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_a_solved_sample_stays_where_it_is(framework: str, name: str) -> None:
    """One sample is zero, one in an invariant space of one dimension; the third takes all n steps."""
    A, b = system()
    A[0], A[:, 0] = 0, 0
    A[0, 0] = 2
    b[0], b[1] = 0, 0
    b[1, 0] = 1
    found = solved(framework, name, A, b, steps=20)
    assert distance(to_numpy(found.value), np.linalg.solve(A, b.T).T) < 1e-14
    assert np.array_equal(to_numpy(found.value)[:2], [np.zeros(N), np.eye(N)[0] / 2])
    assert 0 < float(found.residual) < 1e-14


def test_a_small_right_hand_side(framework: str) -> None:
    """Its squares underflow in float32."""
    A, b = system()
    usual, small = (solved(framework, "normal_cg", A, s * b, "float32", steps=N) for s in (1.0, 2.0**-100))
    assert np.array_equal(to_numpy(small.value), to_numpy(usual.value) * np.float32(2.0**-100))


@pytest.mark.parametrize(("name", "forward", "backward"), [("normal_cg", 4, 4), ("normal_cg_published", 12, 13)])
def test_products_are_counted_by_calls(name: str, forward: int, backward: int) -> None:
    A, b = system()
    matrix, calls = torch.from_numpy(A.T), Counter[str]()

    def product(v: torch.Tensor) -> torch.Tensor:
        found = v @ matrix
        calls["recorded" if found.requires_grad else "A"] += 1
        if found.requires_grad:
            found.register_hook(lambda _: calls.update(["transposed"]))
        return found

    module("torch", "linear_solvers").LINEAR_SOLVERS[name](steps=4)(product, torch.from_numpy(b))
    assert calls == {"recorded": 1, "A": forward, "transposed": backward}


@pytest.mark.parametrize(("name", "inside", "outside"), [("normal_cg", 2, 0), ("normal_cg_published", 6, 1)])
def test_the_compiler_leaves_every_product(name: str, inside: int, outside: int) -> None:
    """Matrix products in the optimised program: those of one iteration, which is a loop's body, and those before it."""
    A, b = system()
    A, b = (array("jax", x) for x in (A, b))
    solver = module("jax", "linear_solvers").LINEAR_SOLVERS[name](steps=4)
    text = jax.jit(lambda A, b: solver(lambda v: v @ A, b).value).lower(A, b).compile().as_text()
    computations = [part.count(" dot(") for part in text.split("\n\n")]
    assert sorted(filter(None, computations)) == sorted(filter(None, [inside, outside]))
