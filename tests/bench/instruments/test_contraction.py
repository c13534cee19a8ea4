"""‖J‖₂ and ρ(J) against dense decompositions where the search space is complete, and against bounds where it is not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bench.instruments.contraction import SETTLED, Contraction, estimate, of
from impls import oracles, problems

N = 24
EPS = float(np.finfo(np.float64).eps)
GAMMA = 0.8


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def orthogonal(n: int) -> np.ndarray:
    return np.linalg.qr(rng().normal(size=(n, n)))[0]


def symmetric() -> np.ndarray:
    q = orthogonal(N)
    return (q * rng().uniform(-1, 1, N)) @ q.T


def rotation() -> np.ndarray:
    """A complex pair 0.9 e^{±i} above real eigenvalues."""
    found = np.diag(rng().uniform(-0.7, 0.7, N))
    found[:2, :2] = 0.9 * np.array([[np.cos(1), -np.sin(1)], [np.sin(1), np.cos(1)]])
    q = orthogonal(N)
    return q @ found @ q.T


def triangular() -> np.ndarray:
    """Distinct small eigenvalues under a norm that is about ten times as large; few, or no method finds them."""
    return np.diag([0.1, 0.2, 0.3, 0.4]) + 2 * np.diag(np.ones(3), 1)


def skewed() -> np.ndarray:
    """Far from normal and 60 wide: with Gram–Schmidt done once the basis falls apart and ρ comes out far too large."""
    draw, n = rng(), 60
    q = np.linalg.qr(draw.normal(size=(n, n)))[0]
    return q @ (np.diag(np.linspace(0.2, 0.9, n)) + 0.02 * np.triu(draw.normal(size=(n, n)), 1)) @ q.T


KINDS: dict[str, Callable[[], np.ndarray]] = {
    "symmetric": symmetric,
    "orthogonal": lambda: GAMMA * orthogonal(N),
    "rotation": rotation,
    "gaussian": lambda: rng().normal(size=(N, N)) / N**0.5,
    "zero": lambda: np.zeros((N, N)),
    "triangular": triangular,
    "skewed": skewed,
    "identity": lambda: GAMMA * np.eye(N),
}


def found(J: np.ndarray, *, rounds: int, shape: tuple[int, ...] | None = None) -> Contraction:
    """Of a batch of matrices, on states of any shape."""

    def apply(matrices: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        return lambda v: np.einsum("bij,bj->bi", matrices, v.reshape(len(J), -1)).reshape(v.shape)

    return estimate(apply(J), apply(J.transpose(0, 2, 1)), np.empty((len(J), *(shape or J.shape[2:]))), rounds=rounds)


def rounding(J: np.ndarray) -> float:
    """By Bauer and Fike an eigenvalue moves by at most cond(eigenvectors) ‖E‖, E the rounding of n products with J."""
    n = len(J)
    return float(np.linalg.cond(np.linalg.eig(J)[1]) * n * n * EPS * np.linalg.norm(J, 2))


@pytest.mark.parametrize("kind", KINDS)
def test_a_complete_space_gives_both_to_rounding(kind: str) -> None:
    J = KINDS[kind]()
    one = found(J[None], rounds=len(J))
    assert one.radius == pytest.approx(abs(np.linalg.eigvals(J)).max(), abs=rounding(J))
    assert one.norm == pytest.approx(np.linalg.norm(J, 2), rel=len(J) ** 2 * EPS)


def test_the_kinds_are_what_they_are_called() -> None:
    scaled = found(KINDS["orthogonal"]()[None], rounds=N)
    assert scaled.norm == pytest.approx(GAMMA, rel=N * N * EPS)
    assert scaled.radius == pytest.approx(GAMMA, rel=N * N * EPS)
    shear = found(triangular()[None], rounds=N)
    assert shear.radius == pytest.approx(0.4, abs=rounding(triangular()))
    assert shear.norm > 5 * shear.radius
    assert np.iscomplex(np.linalg.eigvals(rotation())).sum() == 2


def test_the_largest_over_the_samples_whatever_the_shape_of_a_state() -> None:
    """One sample has the largest norm and another the largest radius."""
    steep = np.zeros((N, N))
    steep[0, 1] = 3.0  # nilpotent
    J = np.stack([symmetric(), steep, np.zeros((N, N)), rotation()])
    both = found(J, rounds=N, shape=(2, 3, 4))
    assert both.norm == pytest.approx(3.0, rel=N * N * EPS)
    assert both.radius == pytest.approx(abs(np.linalg.eigvals(J)).max(), abs=rounding(rotation()))


def test_few_rounds_meet_the_bound_of_kaniel_and_paige() -> None:
    """σ₁² − θ ≤ (σ₁² − σ_n²) (tan φ / T_{m−1}(1 + 2 gap))², φ the angle of the start to the first singular vector."""
    n, rounds, seed = 200, 8, 3
    sigma = np.concatenate([[1.0], np.linspace(0.7, 0.1, n - 1)])
    J = np.diag(sigma)[None]
    start = np.random.default_rng(seed).normal(size=n)
    tangent = np.linalg.norm(start[1:]) / abs(start[0])
    gap = (sigma[0] ** 2 - sigma[1] ** 2) / (sigma[1] ** 2 - sigma[-1] ** 2)
    chebyshev = np.cosh((rounds - 1) * np.arccosh(1 + 2 * gap))
    bound = (sigma[0] ** 2 - sigma[-1] ** 2) * (tangent / chebyshev) ** 2
    assert bound < 0.01  # it says something

    def apply(v: np.ndarray) -> np.ndarray:
        return v @ J[0]

    one = estimate(apply, apply, np.empty((1, n)), rounds=rounds, seed=seed)
    assert sigma[0] ** 2 - bound <= one.norm**2 <= sigma[0] ** 2 * (1 + n * EPS)


def test_it_is_never_behind_power_iteration() -> None:
    n, rounds, seed = 100, 12, 0
    W = rng().normal(size=(n, n)) / n**0.5
    one = estimate(lambda v: v @ W.T, lambda v: v @ W, np.empty((1, n)), rounds=rounds, seed=seed)
    v = np.random.default_rng(seed).normal(size=n)
    for _ in range(rounds - 1):
        v = W.T @ (W @ v)
        v /= np.linalg.norm(v)
    assert np.linalg.norm(W @ v) < one.norm <= np.linalg.norm(W, 2) * (1 + n * EPS)
    assert one.radius <= np.linalg.norm(W, 2) * (1 + n * EPS)


def test_it_is_the_same_every_time_and_refuses_no_rounds() -> None:
    J = KINDS["gaussian"]()[None]
    assert found(J, rounds=5) == found(J, rounds=5)
    with pytest.raises(ValueError, match="rounds must be a whole number from 1 up, not 0"):
        found(J, rounds=0)


# At the fixed point of a problem ------------------------------------------------------------------------------------


def of_problem(name: str, **sizes: object) -> tuple[problems.Problem, Contraction]:
    problem = problems.make(name, **sizes)
    contraction = of(problem)
    assert contraction is not None
    return problem, contraction


def test_of_the_linear_problem() -> None:
    problem, one = of_problem("linear")
    A = problem.params["A"]
    assert one.norm == pytest.approx(problem.sizes["gamma"], rel=16 * 16 * EPS)
    assert one.radius == pytest.approx(abs(np.linalg.eigvals(A)).max(), abs=rounding(A))


def matches(one: Contraction, J: np.ndarray, z: np.ndarray, gamma: float) -> None:
    """Both numbers are those of J(z*), up to what a z that is only settled moves them by.

    The last move was SETTLED ‖z‖, so z* is within γ/(1 − γ) of that; |d(1 − z²)| ≤ 2 |dz|, times ‖W‖ = γ.
    """
    off = SETTLED * np.linalg.norm(z.reshape(len(z), -1), axis=1).max() * gamma / (1 - gamma)
    change = 2 * off * gamma
    assert one.norm == pytest.approx(np.linalg.norm(J, 2, axis=(1, 2)).max(), abs=change)
    turned = np.linalg.cond(np.linalg.eig(J)[1]).max()
    assert one.radius == pytest.approx(abs(np.linalg.eigvals(J)).max(), abs=turned * change)


@pytest.mark.parametrize("kind", ["orthogonal", "symmetric"])
def test_of_the_tanh_problem(kind: str) -> None:
    problem, one = of_problem("tanh", width=16, inputs=4, batch=3, kind=kind)
    W, xU = problem.params["W"], problem.batch["x"] @ problem.params["U"]
    z = np.zeros_like(xU)
    for _ in range(200):  # 0.8²⁰⁰ = 4e-20
        z = np.tanh(z @ W + xU)
    matches(one, (1 - z**2)[:, :, None] * W.T, z, problem.sizes["gamma"])
    assert one.radius < one.norm < problem.sizes["gamma"]


def test_of_the_convolution() -> None:
    """One channel: 64 numbers a sample, as many as the default space has dimensions."""
    problem, one = of_problem("fpn", channels=1, batch=2)
    model = oracles.MODELS["fpn"](problem)
    z = model.z0
    for _ in range(200):
        z = model.step(z)[0]
    pull = model.step(z)[1]
    basis = np.eye(64).reshape(64, 1, 8, 8, 1)
    J = np.stack([pull(np.broadcast_to(e, z.shape))[0].reshape(2, 64) for e in basis], axis=1)
    matches(one, J, z, problem.sizes["gamma"])


def test_none_without_a_fixed_point() -> None:
    assert of(problems.make("mlp", depth=2, width=4, inputs=4, batch=2)) is None
    assert of(problems.make("newton", width=16, inputs=4, batch=2, gamma=4.0)) is None  # wanders
    assert of(problems.make("linear", gamma=4.0)) is None  # grows without bound


def test_at_the_width_of_the_presets_two_digits_are_right() -> None:
    problem = problems.make("tanh", width=512, batch=2)
    step = oracles.MODELS["tanh"](problem).step
    z = np.zeros((2, 512))
    for _ in range(200):
        z = step(z)[0]
    jacobians = [(1 - row**2)[:, None] * problem.params["W"].T for row in z]
    found = of(problem)
    assert found is not None
    assert found.norm == pytest.approx(max(np.linalg.norm(J, 2) for J in jacobians), rel=1e-3)
    assert found.radius == pytest.approx(max(abs(np.linalg.eigvals(J)).max() for J in jacobians), rel=0.03)
