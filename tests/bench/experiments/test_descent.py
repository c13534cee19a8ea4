"""JFB's direction on affine maps: the derivative by differences, the theorem where it holds, and where it does not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.experiments import descent
from bench.experiments.catalog import Place
from bench.experiments.descent import Descent
from bench.instruments.accuracy import cosine

DRAWN = st.sampled_from(descent.KINDS[:3])
SEEDS = st.integers(0, 10**6)


def one(gamma: float, kappa: float, kind: str, seed: int, states: int = 6, parameters: int = 9) -> descent.Affine:
    return descent.draw(gamma, kappa, kind, states, parameters, np.random.default_rng(seed))


@given(st.floats(0.05, 0.99), st.floats(1, 1e3), DRAWN, SEEDS, st.sampled_from([4, 6, 9]))
def test_a_draw_is_what_was_asked_for(gamma: float, kappa: float, kind: str, seed: int, parameters: int) -> None:
    found = one(gamma, kappa, kind, seed, parameters=parameters)
    singular = np.linalg.svd(found.B, compute_uv=False)
    assert (singular[0] / singular[-1]) ** 2 == pytest.approx(kappa, rel=1e-9)
    assert np.linalg.norm(found.Q, 2) == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("kind", descent.KINDS)
def test_gradient_and_jfb_are_derivatives_at_the_fixed_point(kind: str) -> None:
    """ℓ(u) = gᵀ u is linear, and so is u*(θ) = (I − γQ)⁻¹ (B θ + d): differences are exact to rounding."""
    found = one(0.7, 5.0, kind, seed=1)
    theta = np.random.default_rng(2).normal(size=9)

    def solved(theta: np.ndarray) -> np.ndarray:
        u = np.zeros(6)
        for _ in range(200):
            u = found.gamma * found.Q @ u + found.B @ theta
        return u

    still = found.gamma * found.Q @ solved(theta)
    units = np.eye(9)
    truth = [found.g @ (solved(theta + e) - solved(theta)) for e in units]
    last = [found.g @ (still + found.B @ (theta + e) - still - found.B @ theta) for e in units]
    np.testing.assert_allclose(found.gradient(), truth, atol=1e-12)
    np.testing.assert_allclose(found.jfb(), last, atol=1e-12)


@given(st.floats(0.05, 0.99), st.floats(0, 1), DRAWN, SEEDS)
def test_where_the_theorem_covers_it_jfb_descends_whatever_the_loss(
    gamma: float, share: float, kind: str, seed: int
) -> None:
    kappa = 1 + share * (1 / gamma - 1)
    assert descent.covered(gamma, kappa * (1 - 1e-12), 6, 9)
    found = one(gamma, kappa, kind, seed)
    assert found.worst() >= -1e-12
    assert cosine(found.jfb(), found.gradient()) >= -1e-12


@given(st.floats(0.05, 0.99), st.floats(0, 1), DRAWN, SEEDS)
def test_up_to_the_sharp_bound_it_descends_too(gamma: float, share: float, kind: str, seed: int) -> None:
    bound = descent.sharp_bound(gamma)
    assert bound >= 1 / gamma
    assert one(gamma, 1 + share * (bound - 1), kind, seed).worst() >= -1e-12


@given(st.floats(0.05, 0.99), st.floats(1.01, 100), SEEDS)
def test_beyond_the_sharp_bound_an_adversary_makes_it_ascend(gamma: float, factor: float, seed: int) -> None:
    """By hand: with cos φ = 2 √κ/(κ + 1), ⟨JFB, ∇⟩ = ‖w‖ ‖S w‖ (cos φ − γ)."""
    kappa = factor * descent.sharp_bound(gamma)
    found = one(gamma, kappa, "adversarial", seed)
    w = np.linalg.solve((np.eye(6) - gamma * found.Q).T, found.g)
    scale = np.linalg.norm(w) * np.linalg.norm(found.B @ found.B.T @ w)
    inner = float(found.jfb() @ found.gradient())
    assert inner / scale == pytest.approx(2 * np.sqrt(kappa) / (kappa + 1) - gamma, abs=1e-9)
    assert inner < 0 and found.worst() < 0
    assert not descent.covered(gamma, kappa, 6, 9)


@settings(max_examples=30)
@given(st.floats(0.1, 0.99), DRAWN.filter(lambda kind: kind != "symmetric"), SEEDS)
def test_with_fewer_parameters_than_states_no_condition_number_suffices(gamma: float, kind: str, seed: int) -> None:
    """The theorem's M has as many columns as states; read as states × parameters, κ = 1 does not help."""
    assert one(gamma, 1.0, kind, seed, parameters=3).worst() < 0
    assert not descent.covered(gamma, 1.0, 6, 3)


def test_records_of_the_smallest_preset() -> None:
    found = [(part, Descent().perform(part, Place(Path("none")))) for part in Descent().parts("smoke", False)]
    affines = [record for part, records in found if part.settings["what"] == "affine" for record in records]
    names = {"gamma", "kappa", "parameters", "states", "draw", "cosine", "worst", "jacobian_norm", "covered", "sharp"}
    assert all(set(record) == names for record in affines)
    assert all(record["worst"] > 0 for record in affines if record["covered"] or record["sharp"])
    assert any(record["worst"] < 0 for record in affines if not record["sharp"])
    networks = {part.settings["problem"]: records for part, records in found if part.settings["what"] == "model"}
    assert set(networks) == set(descent.MODELS)
    assert all(0 < record["cosine"] <= 1 for records in networks.values() for record in records)


def test_the_table_stays_small() -> None:
    draws = sum(
        int(part.settings["draws"]) * len(descent.GAMMAS) * len(descent.KAPPAS) * len(descent.PARAMETERS)
        for part in Descent().parts("paper", False)
        if part.settings["what"] == "affine"
    )
    assert draws < 8000
