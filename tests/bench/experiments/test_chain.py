"""The norm of ∂z_K/∂z_0 against closed forms: powers of a matrix, and Newton's squares."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.experiments import chain
from bench.experiments.catalog import Place
from bench.experiments.chain import Chain
from impls import problems

NOWHERE = Place(Path("."))


def norms(size: str, **settings: str | float) -> list[float]:
    (part,) = (one for one in Chain().parts(size, False) if settings.items() <= {**one.settings}.items())
    records = Chain().perform(part, NOWHERE)
    assert [record["K"] for record in records] == list(range(1, chain.STEPS[size] + 1))
    return [record["norm"] for record in records]


@pytest.mark.parametrize("gamma", [0.9, 1.3, 2.0])
def test_a_linear_chain_is_a_power(gamma: float) -> None:
    A = problems.make("linear", width=8, inputs=8, batch=1, gamma=gamma).params["A"]
    expected = [np.linalg.norm(np.linalg.matrix_power(A, K), 2) for K in range(1, 61)]
    np.testing.assert_allclose(norms("quick", problem="linear", gamma=gamma), expected, rtol=1e-10)


@pytest.mark.parametrize("gamma", [0.5, 0.9])
def test_a_contraction_forgets_its_start(gamma: float) -> None:
    found = norms("quick", solver="picard", problem="tanh", gamma=gamma)
    assert all(norm <= gamma**K * (1 + 1e-12) for K, norm in enumerate(found, 1))


def test_a_step_that_stretches_one_direction_may_still_forget_and_one_that_grows_explodes() -> None:
    """Norms bound one step; in the end the spectral radius decides."""
    transient, exploding = (norms("quick", problem="linear", gamma=gamma) for gamma in (1.3, 2.0))
    assert transient[0] == pytest.approx(1.3)
    assert transient[-1] < 1e-3 < 1e3 < exploding[-1]


def test_newtons_derivative_falls_faster_than_any_power() -> None:
    """It is of the order of the error, which is squared in each step: its logarithm grows by a factor above one."""
    found = np.log(norms("smoke", solver="newton", problem="newton"))
    assert found[0] < 0
    assert (found[1:] < 1.5 * found[:-1]).all()


def test_a_derivative_is_that_of_the_map() -> None:
    z = np.array([[0.3, -1.2]])
    found = chain.matrix(lambda z: np.stack([z[:, 0] * z[:, 1], np.sin(z[:, 0])], axis=1), z)
    np.testing.assert_allclose(found, [[-1.2, 0.3], [np.cos(0.3), 0]], rtol=1e-14)


def test_records_have_one_shape_and_finite_numbers() -> None:
    records = [record for part in Chain().parts("smoke", False) for record in Chain().perform(part, NOWHERE)]
    assert {tuple(record) for record in records} == {("solver", "problem", "gamma", "K", "norm")}
    assert np.isfinite([record["norm"] for record in records]).all()
