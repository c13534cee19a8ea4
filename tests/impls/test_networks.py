"""The further networks are what their constructions promise: monotone, contractive, averaged, as large as JFB's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impls import oracles
from impls.oracles.implicit import mon, monotone, step_length
from impls.oracles.methods import METHODS
from impls.problems import FACTS, KIND, circular_norm, make
from tests.impls.frameworks import FRAMEWORKS, array, distance, flat, module, run, small, to_numpy

EPS = float(np.finfo(np.float64).eps)
SEEDS = st.integers(0, 2**32 - 1)


def test_the_papers_instances_are_implicit_problems() -> None:
    instances = {name for name, row in FACTS.items() if row.instance}
    assert instances == {"tanh", "mon", "elghaoui", "averaged"}
    assert {KIND[name] for name in instances} == {"implicit"}


# monotone -----------------------------------------------------------------------------------------------------------

WEIGHTS = {"seed": SEEDS, "n": st.integers(1, 7), "m": st.floats(0.01, 4), "a": st.floats(0, 30), "b": st.floats(0, 30)}


def drawn(seed: int, n: int, a: float, b: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return a * rng.normal(size=(n, n)), b * rng.normal(size=(n, n))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(**WEIGHTS)
def test_every_weight_is_monotone_and_its_step_contracts(seed: int, n: int, m: float, a: float, b: float) -> None:
    """I − W ⪰ m I, and ‖V‖₂² ≤ 1 − ¾ (m/L)² with the L of the step length, whatever training makes of A and B."""
    models = module("torch", "models")
    A, B, ones, least = (array("torch", x) for x in (*drawn(seed, n, a, b), np.ones((1, n)), np.array(m)))
    W = models.monotone_weight(A, B, least)
    F = np.eye(n) - to_numpy(W)
    assert np.linalg.eigvalsh((F + F.T) / 2).min() >= m - 10 * n * EPS * (1 + np.linalg.norm(F))
    V, p = models.forward_backward(W, ones, least)
    bound = 1.5 * m / float(p[0, 0])  # p = α q
    assert bound >= np.linalg.norm(F, 2) ** 2 * (1 - 100 * EPS)
    assert np.linalg.norm(to_numpy(V), 2) ** 2 <= 1 - 0.75 * m**2 / bound + 100 * n * EPS


def test_the_oracles_weight_and_step_length_are_the_models() -> None:
    A, B = drawn(0, 6, 1.0, 1.0)
    F = monotone(A, B, 0.5)
    for framework in FRAMEWORKS:
        models, m = module(framework, "models"), array(framework, np.array(0.5))
        W = models.monotone_weight(array(framework, A), array(framework, B), m)
        p = models.forward_backward(W, array(framework, np.ones((1, 6))), m)[1]
        assert np.allclose(to_numpy(W), np.eye(6) - F, rtol=0, atol=1e-14)
        assert float(p[0, 0]) == pytest.approx(step_length(F, 0.5), rel=1e-12)


def test_the_fixed_point_and_the_true_gradient_do_not_depend_on_the_step_length() -> None:
    problem = small("mon")
    p, x = problem.params, problem.batch["x"]
    F = monotone(p["A"], p["B"], 0.5)
    states, gradients = [], []
    for alpha in (step_length(F, 0.5), step_length(F, 0.5) / 3, 0.2):
        model = mon(problem, alpha)
        u = model.z0
        for _ in range(500):
            u = model.step(u)[0]
        states.append(u)
        gradients.append(flat(METHODS["ift"](model, 500, "picard", "dense", 0)))
    direct = np.maximum(states[0] @ (np.eye(5) - F) + x @ p["U"] + p["b"], 0)  # the equation, without a step length
    assert 0 < np.count_nonzero(direct) < direct.size
    for u, gradient in zip(states, gradients, strict=True):
        assert np.allclose(u, direct, rtol=0, atol=1e-13)
        assert distance(gradient, flat(oracles.reference(problem))) < 1e-12


def test_a_weight_that_no_picard_step_solves() -> None:
    """ρ(W) is far above 1: it takes the forward–backward step to get there, and it does."""
    problem = small("mon")
    problem = make("mon", **problem.sizes)
    problem.params["A"][:] *= 4
    W = np.eye(5) - monotone(problem.params["A"], problem.params["B"], 0.5)
    assert abs(np.linalg.eigvals(W)).max() > 5
    assert np.isfinite(flat(oracles.reference(problem))).all()


# averaged and El Ghaoui's ---------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=SEEDS, spread=st.floats(0, 10))
def test_the_averaged_step_lengthens_nothing(seed: int, spread: float) -> None:
    problem, rng = small("averaged"), np.random.default_rng(seed)
    model = oracles.MODELS["averaged"](problem)
    u, v = spread * rng.normal(size=(2, *model.z0.shape))
    apart = np.linalg.norm(u - v, axis=1)
    assert (np.linalg.norm(model.step(u)[0] - model.step(v)[0], axis=1) <= apart * (1 + 10 * EPS)).all()
    pull = model.step(u)[1]
    J = np.stack([pull(np.broadcast_to(e, u.shape))[0] for e in np.eye(u.shape[1])], axis=1)
    assert np.linalg.norm(J, 2, axis=(1, 2)).max() <= 1 + 10 * EPS


def test_norms() -> None:
    for gamma in (0.3, 1.0):
        assert np.linalg.norm(small("elghaoui", gamma=gamma).params["A"], 2) == pytest.approx(gamma, rel=1e-12)
    W = small("averaged").params["W"]
    assert np.allclose(W @ W.T, np.eye(len(W)), rtol=0, atol=1e-13)


# fpn on larger images -------------------------------------------------------------------------------------------------

MNIST: dict[str, Any] = {"image": 28, "channels": 2, "batch": 2, "gamma": 0.6}


def test_fpn_is_as_large_as_the_papers() -> None:
    problem = make("fpn", image=28, channels=32, encoder=3, batch=1, gamma=0.5)
    count = sum(leaf.size for leaf in problem.params.values())
    assert count == 288 + 3 * 9216 + 81 * 32 * 10
    assert count == pytest.approx(54_352, rel=0.1)
    assert circular_norm(problem.params["R"], 9) == pytest.approx(0.5, rel=1e-12)


def test_sizes_that_are_the_defaults_change_nothing() -> None:
    default, named = small("fpn"), small("fpn", image=8, encoder=2)
    assert np.array_equal(flat(default.params), flat(named.params))
    assert set(default.params) == {"Q1", "Q2", "R", "S"}


@pytest.mark.parametrize("image", [1, 9, 27, 32])
def test_other_images_are_refused(image: int) -> None:
    with pytest.raises(ValueError, match=rf"^fpn: image must be 8 \(digits\) or 28 \(MNIST\), not {image}\.$"):
        make("fpn", image=image)


@pytest.mark.parametrize(("framework", "encoder"), [("torch", 1), ("torch", 3), ("jax", 3)])
def test_fpn_on_mnist_meets_its_oracle(framework: str, encoder: int) -> None:
    problem = make("fpn", encoder=encoder, **MNIST)
    expected = oracles.gradient(problem, "jfb", K=2)
    value, grads = run(framework, problem, "jfb", K=2)
    assert value == pytest.approx(oracles.loss(problem, K=2), rel=1e-13)
    assert distance(grads, flat(expected)) < 1e-12
    assert np.isfinite(flat(oracles.reference(problem))).all()
