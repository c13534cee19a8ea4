"""``linear`` against its closed forms at finite K and M, written out with explicit powers of A."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.linalg import inv, matrix_power, norm

from impls.problems import Problem
from tests.impls.frameworks import distance, flat, run, small

EYE = np.eye(5)


@pytest.fixture
def problem() -> Problem:
    return small("linear")


def parts(problem: Problem) -> tuple[np.ndarray, ...]:
    return problem.params["A"], problem.params["B"], problem.batch["x"], problem.batch["y"]


def state(problem: Problem, k: int) -> np.ndarray:
    """z_k = Σ_{j<k} x B Aʲ."""
    A, B, x, _ = parts(problem)
    return sum((x @ B @ matrix_power(A, j) for j in range(k)), np.zeros((len(x), len(A))))


def cotangent(problem: Problem, K: int) -> np.ndarray:
    y = problem.batch["y"]
    return (state(problem, K) - y) / len(y)


def assembled(problem: Problem, z: np.ndarray, w: np.ndarray) -> np.ndarray:
    return flat({"A": z.T @ w, "B": problem.batch["x"].T @ w})


def neumann(problem: Problem, g: np.ndarray, M: int) -> np.ndarray:
    """Σ_{m<M} g (Aᵀ)ᵐ."""
    return sum(g @ matrix_power(problem.params["A"].T, m) for m in range(M))


def true_gradient(problem: Problem) -> np.ndarray:
    A, B, x, y = parts(problem)
    z = x @ B @ inv(EYE - A)
    return assembled(problem, z, (z - y) / len(y) @ inv(EYE - A.T))


def test_the_matrix_is_not_normal(problem: Problem) -> None:
    A = problem.params["A"]
    assert norm(A @ A.T - A.T @ A) > 0.1 * norm(A) ** 2


@pytest.mark.parametrize("K", [1, 2, 7])
def test_unrolled(framework: str, problem: Problem, K: int) -> None:
    A, x, g = problem.params["A"], problem.batch["x"], cotangent(problem, K)
    pulled = [g @ matrix_power(A.T, k) for k in range(K)]
    expected = flat({"A": sum(state(problem, K - 1 - k).T @ pulled[k] for k in range(K)), "B": x.T @ sum(pulled)})
    value, found = run(framework, problem, "unrolled", K=K)
    y = problem.batch["y"]
    assert value == pytest.approx(0.5 * norm(state(problem, K) - y) ** 2 / len(y), rel=1e-13)
    assert distance(found, expected) < 1e-12


@pytest.mark.parametrize("K", [1, 2, 7])
def test_jfb(framework: str, problem: Problem, K: int) -> None:
    expected = assembled(problem, state(problem, K - 1), cotangent(problem, K))
    assert distance(run(framework, problem, "jfb", K=K)[1], expected) < 1e-12


@pytest.mark.parametrize(("K", "M"), [(1, 1), (1, 3), (2, 2), (7, 1), (7, 5)])
def test_ift_with_picard(framework: str, problem: Problem, K: int, M: int) -> None:
    w = neumann(problem, cotangent(problem, K), M)
    expected = assembled(problem, state(problem, K - 1), w)
    assert distance(run(framework, problem, "ift", K=K, M=M)[1], expected) < 1e-12


@pytest.mark.parametrize("K", [1, 7])
def test_ift_with_dense(framework: str, problem: Problem, K: int) -> None:
    w = cotangent(problem, K) @ inv(EYE - problem.params["A"].T)
    expected = assembled(problem, state(problem, K - 1), w)
    assert distance(run(framework, problem, "ift", K=K, linear_solver="dense")[1], expected) < 1e-12


@pytest.mark.parametrize("M", [1, 3, 5])
@pytest.mark.few(3)
def test_ift_with_gmres(framework: str, problem: Problem, M: int) -> None:
    """For each sample, the least residual in the span of g, g C, …, g C^{M−1}, C = I − Aᵀ."""
    g, C = cotangent(problem, 7), EYE - problem.params["A"].T
    rows = []
    for sample in g:
        span = np.linalg.qr(np.stack([sample @ matrix_power(C, m) for m in range(M)]).T)[0].T
        rows.append(np.linalg.lstsq((span @ C).T, sample, rcond=None)[0] @ span)
    expected = assembled(problem, state(problem, 6), np.stack(rows))
    found = run(framework, problem, "ift", K=7, linear_solver="gmres", M=M)[1]
    assert distance(found, expected) < 1e-12


@pytest.mark.parametrize("method", ["unrolled", "ift"])
def test_newton_gets_there_in_one_step(framework: str, problem: Problem, method: str) -> None:
    options = {"linear_solver": "dense"} if method == "ift" else {}
    found = run(framework, problem, method, K=2, solver="newton", **options)[1]
    assert distance(found, true_gradient(problem)) < 1e-12


def test_jfb_is_wrong_by_what_theory_says(framework: str, problem: Problem) -> None:
    """Its limit is z*ᵀ g where the truth is z*ᵀ g (I − Aᵀ)⁻¹; they differ by z*ᵀ g Aᵀ (I − Aᵀ)⁻¹."""
    A, B, x, y = parts(problem)
    z = x @ B @ inv(EYE - A)
    g = (z - y) / len(y)
    predicted = -assembled(problem, z, g @ A.T @ inv(EYE - A.T))
    truth = true_gradient(problem)
    found = run(framework, problem, "jfb", K=80)[1]
    assert distance(found - truth, predicted) < 1e-12
    assert norm(predicted) > 0.1 * norm(truth)
    w = g @ inv(EYE - A.T)
    assert norm(g - w) <= 0.6 * norm(w)  # the adjoint's relative error is at most γ


@pytest.mark.parametrize("M", [1, 2, 4])
def test_the_error_of_few_backward_steps(framework: str, problem: Problem, M: int) -> None:
    """w − w_M = w (Aᵀ)^M."""
    A, B, x, y = parts(problem)
    z = x @ B @ inv(EYE - A)
    w = (z - y) / len(y) @ inv(EYE - A.T)
    predicted = assembled(problem, z, w @ matrix_power(A.T, M))
    found = run(framework, problem, "ift", K=80, M=M)[1]
    assert distance(true_gradient(problem) - found, predicted) < 1e-12
