"""Linear solvers against numpy, at their ends and at their edges."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from tests.impls.frameworks import array, distance, jit, module, to_numpy

N, BATCH = 6, 3


def systems(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """I − J with ‖J‖ = ½, and right-hand sides."""
    rng = np.random.default_rng(seed)
    J = rng.normal(size=(BATCH, N, N))
    J *= 0.5 / np.linalg.norm(J, 2, axis=(1, 2))[:, None, None]
    return np.eye(N) - J, rng.normal(size=(BATCH, N))


def solved(framework: str, name: str, A: np.ndarray, b: np.ndarray, **options: Any) -> Any:
    return compiled(framework, name, tuple(options.items()))(array(framework, A), array(framework, b))


@cache
def compiled(framework: str, name: str, options: tuple) -> Any:
    solver = module(framework, "linear_solvers").LINEAR_SOLVERS[name](**dict(options))

    def fn(matrix: Any, b: Any) -> Any:
        return solver(lambda v: (matrix @ v[:, :, None])[:, :, 0], b)

    return jit(framework, fn)


CG = ("normal_cg", "normal_cg_published")
ENOUGH = {"gmres": N, "dense": None, "picard": 60, **dict.fromkeys(CG, N), "bicgstab": N, "anderson": 30}
"""Steps after which each is exact to rounding."""


@pytest.mark.parametrize(("name", "steps"), ENOUGH.items())
@pytest.mark.few(6)
def test_random_systems(framework: str, name: str, steps: int | None) -> None:
    A, b = systems()
    found = solved(framework, name, A, b, **({"steps": steps} if steps else {}))
    assert distance(to_numpy(found.value), np.linalg.solve(A, b[:, :, None])[:, :, 0]) < 1e-12
    assert bool(found.converged)
    assert float(found.residual) < 1e-12


def test_gmres_is_not_exact_before_n_steps_and_takes_no_more(framework: str) -> None:
    A, b = systems()
    exact = np.linalg.solve(A, b[:, :, None])[:, :, 0]
    errors = [distance(to_numpy(solved(framework, "gmres", A, b, steps=M).value), exact) for M in (2, 3, N, 40)]
    assert errors[0] > errors[1] > 1e-6
    assert max(errors[2:]) < 1e-12
    assert float(solved(framework, "gmres", A, b, steps=40).steps) == N


@pytest.mark.parametrize(("name", "M"), [("gmres", 1), ("gmres", 20), ("bicgstab", N), ("anderson", 30)])
def test_after_a_breakdown(framework: str, name: str, M: int) -> None:
    _, b = systems()
    identity = np.broadcast_to(np.eye(N), (BATCH, N, N))
    assert distance(to_numpy(solved(framework, name, identity, b, steps=M).value), b) < 1e-14


@pytest.mark.parametrize("name", ["gmres", "bicgstab", "anderson"])
def test_after_a_breakdown_of_one_sample(framework: str, name: str) -> None:
    A, b = systems()
    A[1] = np.eye(N)
    found = to_numpy(solved(framework, name, A, b, steps=ENOUGH[name]).value)
    assert distance(found, np.linalg.solve(A, b[:, :, None])[:, :, 0]) < 1e-12


@pytest.mark.parametrize("name", ENOUGH)
def test_zero_right_hand_side(framework: str, name: str) -> None:
    A, b = systems()
    b[1] = 0
    options = {"steps": ENOUGH[name]} if ENOUGH[name] else {}
    found = solved(framework, name, A, b, **options)
    assert np.array_equal(to_numpy(found.value)[1], np.zeros(N))
    assert np.isfinite(to_numpy(found.value)).all()
    assert np.array_equal(to_numpy(solved(framework, name, A, 0 * b, **options).value), 0 * b)


@pytest.mark.parametrize(
    ("name", "options"),
    [("dense", {}), *((name, {"steps": 3}) for name in ("gmres", "picard", "normal_cg", "bicgstab", "anderson"))],
)
@pytest.mark.few(6)
def test_samples_are_independent(framework: str, name: str, options: dict[str, Any]) -> None:
    A, b = systems()
    together = to_numpy(solved(framework, name, A, b, **options).value)
    for i in range(BATCH):
        alone = solved(framework, name, A[i : i + 1], b[i : i + 1], **options).value
        assert distance(to_numpy(alone)[0], together[i]) < 1e-13


@pytest.mark.parametrize("name", ["picard", "gmres", "normal_cg"])
@pytest.mark.few(4)
def test_a_missed_tolerance_is_reported(framework: str, name: str) -> None:
    A, b = systems()
    found = solved(framework, name, A, b, steps=2, tol=1e-10)
    assert not bool(found.converged)
    solver = module(framework, "linear_solvers").LINEAR_SOLVERS[name](steps=2, tol=1e-10)
    matrix = array(framework, A)
    value = module(framework, "linear_solvers").solve(
        solver, lambda v: (matrix @ v[:, :, None])[:, :, 0], array(framework, b)
    )
    assert np.isnan(to_numpy(value)).all()


@pytest.mark.parametrize("name", ["picard", *CG, "bicgstab", "anderson"])
def test_a_met_tolerance_stops_early(name: str) -> None:
    A, b = systems()
    found = {fw: solved(fw, name, A, b, steps=90, tol=1e-6) for fw in ("torch", "jax")}
    steps = {float(one.steps) for one in found.values()}
    assert len(steps) == 1
    assert 2 < steps.pop() < 40
    assert all(bool(one.converged) and float(one.residual) <= 1e-6 for one in found.values())
