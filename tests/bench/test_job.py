"""What a binding binds; and the backward residual of a row is that of the x the method went on with, whatever its
solver says of itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from bench.instruments.accuracy import largest_ratio
from bench.job import Binding, backward_solve, framework_of

N, BATCH = 6, 3
FRAMEWORKS = {"torch": "torch_eager", "jax": "jax_jit"}
J = np.random.default_rng(0).normal(size=(N, N))
J *= 0.5 / np.linalg.norm(J, 2)
SCALES = np.array([[1.0], [1e-25], [1e20]])
"""Of the cotangents of the samples."""


class Says:
    """A solver that goes on with b itself and says that it has solved the system."""

    tol, differentiable = 0.0, False

    def __init__(self, framework: str) -> None:
        self._impls = f"impls.{framework}.linear_solution"

    def __call__(self, A: Any, b: Any) -> Any:
        solution = import_module(self._impls).solution
        return solution(b, 7, 0.0, A, b, 0 * b)


def told(name: str, linear_solver: Any, gradient: str = "backprop", **options: Any) -> dict[str, float]:
    """What is told of the solve in the gradient of Σ s·z by a, z = J z + a."""

    def impls(part: str) -> Any:
        return import_module(f"impls.{name}.{part}")

    used = import_module(f"bench.frameworks.{FRAMEWORKS[name]}").Framework()
    step, s = used.array(J, "float32"), used.array(SCALES, "float32")
    params, start = (used.array(fill * np.ones((BATCH, N)), "float32") for fill in (1.0, 0.0))

    def build(watched: Any) -> Callable[[], Any]:
        fixed_point = partial(
            impls("adjoints.ift").fixed_point, solver=impls("solvers").Picard(3), linear_solver=watched
        )

        def loss(params: Any, batch: Any) -> Any:
            return (fixed_point(lambda z, a: z @ step.T + a, start, params).value * s).sum(), ()

        fn = impls(f"gradients.{gradient}").value_and_grad(loss, **options)
        return used.gradient(fn, params, {}, used.rng(0) if options else None)[0]

    return backward_solve(used, linear_solver, build)


def left(terms: int) -> float:
    """‖b − (I − J)ᵀ x‖/‖b‖ of Σ Jᵀᵐ b for b of ones: ‖Jᵀᴹ b‖/‖b‖."""
    b = np.ones(N)
    return float(np.linalg.norm(np.linalg.matrix_power(J.T, terms) @ b) / np.linalg.norm(b))


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_the_residual_is_measured_and_not_believed(name: str) -> None:
    found = told(name, Says(name))
    assert found["backward_steps"] == 7
    assert found["backward_residual"] == pytest.approx(left(1), rel=1e-5)


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_it_is_that_of_the_last_x_at_any_scale(name: str) -> None:
    table = import_module(f"impls.{name}.linear_solvers").LINEAR_SOLVERS
    for terms in (1, 2, 4):
        assert told(name, table["picard"](terms))["backward_residual"] == pytest.approx(left(terms), rel=1e-4)
    for kind in ("gmres", "bicgstab", "anderson"):
        assert told(name, table[kind](4))["backward_residual"] < left(1)


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_of_several_solves_it_is_the_largest(name: str) -> None:
    """Two forward gradients along basis vectors: their right-hand sides are two columns, and 0 elsewhere."""
    picard = import_module(f"impls.{name}.linear_solvers").LINEAR_SOLVERS["picard"](1)
    found = told(name, picard, "forward_gradient", tangents="basis", count=2)
    columns = np.linalg.norm(J, axis=0)
    assert found["backward_residual"] == pytest.approx(columns[:2].max(), rel=1e-5)


def test_a_residual_that_is_no_number_stays_so() -> None:
    class Broken(Says):
        def __call__(self, A: Any, b: Any) -> Any:
            return super().__call__(A, float("nan") * b)

    assert np.isnan(told("torch", Broken("torch"))["backward_residual"])


def test_ratios_of_samples() -> None:
    x = np.array([[3.0, 4.0], [0.0, 0.0]])
    assert largest_ratio(x, 1e-200 * x) == pytest.approx(1e200)
    assert largest_ratio((1e-30 * x).astype("float32"), (1e-20 * x).astype("float32")) == pytest.approx(1e-10)
    assert largest_ratio(0 * x, 0 * x) == 0
    assert largest_ratio(x, 0 * x) == np.inf
    assert largest_ratio(x, x, least=10) == 0.5


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_a_binding_has_the_solvers_and_steps_that_its_options_name(name: str) -> None:
    options = {"K": 5, "solver": "anderson", "tol": 1e-3, "linear_solver": "gmres", "M": 4}
    bound = Binding(name, "ift", options)
    found = bound.fixed_point()
    solver, linear = found.keywords["solver"], found.keywords["linear_solver"]
    assert found.func is import_module(f"impls.{name}.adjoints.ift").fixed_point
    assert (type(solver).__name__, solver.steps, solver.tol) == ("Anderson", 5, 1e-3)
    assert (type(linear).__name__, linear.steps) == ("GMRES", 4)
    plain = bound.plain.fixed_point()
    assert plain.func is import_module(f"impls.{name}.adjoints.jfb").fixed_point
    assert plain.keywords == {"solver": solver}


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_given_solvers_stand_in_for_named_ones_and_without_steps_there_is_no_fixed_point(name: str) -> None:
    bound = Binding(name, "ift", {"K": 5, "linear_solver": "dense"})
    assert type(bound.linear_solver()).__name__ == "Dense"
    watched = object()
    assert bound.fixed_point(watched).keywords["linear_solver"] is watched
    found = Binding(name, "ift").fixed_point(watched, solver=bound)
    assert found.keywords == {"solver": bound, "linear_solver": watched}
    assert Binding(name, "backprop").fixed_point() is None and Binding(name, "backprop").plain.fixed_point() is None


def test_a_solver_that_there_is_not_is_refused_with_a_hint() -> None:
    with pytest.raises(LookupError, match="No linear solver 'gmress': did you mean gmres"):
        Binding("torch", "ift", {"K": 5, "linear_solver": "gmress"}).fixed_point()


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_a_training_step_goes_down_the_bound_gradient(name: str) -> None:
    """L = Σ p²/2 has the gradient p."""
    used = framework_of(name)
    step = Binding(name, "backprop").train_step(lambda params, batch: ((params["p"] ** 2).sum() / 2, ()))
    value, params, _ = step({"p": used.array(np.array([1.0, -2.0]), "float32")}, {}, None, 0.25)
    assert float(value) == 2.5
    np.testing.assert_allclose(used.numpy(params["p"]), [0.75, -1.5])
