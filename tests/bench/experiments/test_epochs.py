"""Times of a step under every adjoint: how many steps are enough, what is applied how often, and the records."""

from __future__ import annotations

from functools import partial
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.experiments import epochs
from bench.experiments.catalog import WORKERS, Place
from bench.experiments.epochs import Epochs
from bench.frameworks import torch_eager
from bench.job import backward_solve, framework_of
from bench.subjects import CatalogueProblem
from impls import datasets, problems
from impls.torch import models
from impls.torch.adjoints import ift
from impls.torch.gradients import backprop
from impls.torch.linear_solvers import LINEAR_SOLVERS
from impls.torch.solvers import Picard

SMALL = {"channels": 1, "batch": 2}


@pytest.fixture(scope="module")
def records() -> dict[str, dict[str, Any]]:
    (part,) = Epochs().parts("smoke", False)
    return {record["method"]: record for record in Epochs().perform(part, Place(Path("none")))}


def test_every_method_has_a_record(records: dict[str, dict[str, Any]]) -> None:
    solvers = {f"ift {name}" for name in (*epochs.SOLVERS, "dense")}
    assert set(records) == {"jfb", "unrolled"} | solvers
    assert records["jfb"]["ratio"] == 1
    for name, record in records.items():
        assert record["seconds"] > 0 and record["ratio"] > 0
        assert record["steps_per_epoch"] == 1437 // 2
        assert 0 < record["forward_residual"] <= epochs.STRICT["tol"]
        assert (record["residual"] is None) == (name not in solvers - {"ift dense"})
        assert (record["residual"] or 0) <= epochs.STRICT["tol"]
    assert records["ift normal_cg"]["M"] == records["ift normal_cg_published"]["M"]
    assert records["ift gmres"]["M"] <= records["ift picard"]["M"]


def test_applications_by_hand() -> None:
    def count(name: str, M: int | None = 7, framework: str = "jax") -> int:
        return epochs.applications(name, 10, M, 64, framework)

    assert [count(name) for name in ("jfb", "unrolled", "ift picard", "ift gmres")] == [0, 9, 6, 7]
    assert [count(f"ift {name}") for name in ("normal_cg", "normal_cg_published")] == [14, 43]
    assert count("ift normal_cg", framework="torch") == 15  # recorded once, to be transposed
    assert count("ift dense", None) == 64


def linear(gamma: float, batch: int = 3) -> Any:
    return problems.make("linear", width=5, inputs=4, batch=batch, gamma=gamma)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.05, 0.9), st.sampled_from([1e-1, 1e-3, 1e-6]))
def test_steps_are_enough_by_the_definition_and_one_less_is_not(gamma: float, tol: float) -> None:
    """z = z A + q: z_K and the backward solve's least squares problems, written out."""
    problem = linear(gamma)
    counter = epochs.Counter(problem, tol, 200)
    A, q = problem.params["A"], problem.batch["x"] @ problem.params["B"]
    powers = [np.linalg.matrix_power(A, k) for k in range(200)]
    states = list(accumulate((q @ power for power in powers), initial=np.zeros_like(q)))
    forward = [np.inf, np.inf, *(ratio(after - z, z) for z, after in pairwise(states[1:]))]
    assert first(forward, tol) == counter.forward.steps
    g = states[counter.forward.steps] - problem.batch["y"]
    system = np.eye(5) - A.T  # acts on rows: x (I − A)ᵀ = g
    picard = [ratio(g @ powers[M].T, g) for M in range(200)]
    assert first(picard, tol) == counter.backward("picard").steps
    normal = system @ system.T
    starts = {"gmres": (g, system), "normal_cg": (g @ system.T, normal), "normal_cg_published": (g @ system.T, normal)}
    for name, (start, grown) in starts.items():
        space = [start @ np.linalg.matrix_power(grown, k) for k in range(5)]
        found = counter.backward(name)
        for steps, sign in ((found.steps, 1), (found.steps - 1, -1)):
            assert sign * (tol * (1 + 1e-6 * sign) - least(space[:steps], system, g)) >= 0
        assert found.residual == pytest.approx(least(space[: found.steps], system, g), rel=1e-4, abs=1e-9)


def ratio(x: np.ndarray, y: np.ndarray) -> float:
    return float((np.linalg.norm(x, axis=1) / np.linalg.norm(y, axis=1)).max())


def first(residuals: list[float], tol: float) -> int:
    return next(index for index, residual in enumerate(residuals) if residual <= tol)


def least(space: list[np.ndarray], system: np.ndarray, g: np.ndarray) -> float:
    """Least residual of x · system = g over a space of each sample's own."""
    if not space:
        return 1.0
    found = []
    for sample, b in enumerate(g):
        basis = np.linalg.qr(np.stack([one[sample] for one in space], 1))[0]
        image = (basis.T @ system).T
        found.append(np.linalg.norm(b - image @ np.linalg.lstsq(image, b, rcond=None)[0]) / np.linalg.norm(b))
    return float(max(found))


def test_torch_reaches_the_counted_residuals(records: dict[str, dict[str, Any]]) -> None:
    split = datasets.split("digits")
    made = problems.make("fpn", gamma=epochs.STRICT["gamma"], **{name: SMALL[name] for name in ("channels", "batch")})
    used, calls = torch_eager.Framework(), {}
    params, batch = (
        {name: used.array(one, "float64") for name, one in tree.items()}
        for tree in (made.params, {"x": split.train_images[:2], "y": split.train_labels[:2]})
    )

    def build(linear_solver: Any) -> Any:
        fixed_point = partial(ift.fixed_point, solver=Picard(steps=records["jfb"]["K"]), linear_solver=linear_solver)
        call = backprop.value_and_grad(models.loss("fpn", fixed_point))
        return lambda: calls.setdefault("last", call(params, batch, None))

    for name in ("picard", "gmres", "normal_cg", "normal_cg_published"):
        record = records[f"ift {name}"]
        calls.clear()
        solver = LINEAR_SOLVERS[name](steps=record["M"])
        found = backward_solve(used, solver, build)
        assert found["backward_residual"] == pytest.approx(record["residual"], rel=1e-6)
        assert float(calls["last"][2].residual) == pytest.approx(record["forward_residual"], rel=1e-9)


def test_a_solve_that_does_not_get_there_is_refused() -> None:
    with pytest.raises(ValueError, match=r"The forward solve ends at the residual .* after 2 steps, not at 1e-06"):
        epochs.Counter(linear(0.9), 1e-6, 2)
    counter = epochs.Counter(linear(0.2), 1e-1, 3)
    with pytest.raises(ValueError, match=r"picard ends at the residual 1 after 0 steps, not at 0.1: take a smaller"):
        counter._most = 0
        counter.backward("picard")


def test_a_step_under_each_adjoint_is_a_step() -> None:
    """Picard's method with one term is JFB, in either framework."""
    problem = problems.make("fpn", channels=1, batch=2, gamma=0.5)
    found = {}
    for framework, steps in (("torch", {"jfb": None, "ift picard": 1}), ("jax", {"ift picard": 1})):
        used = framework_of(framework, "cpu")
        for name, call in epochs.step_calls(CatalogueProblem(problem, used, "float32"), 12, steps, 0.1).items():
            value, params, _ = call()
            found[framework, name] = float(value), {key: used.numpy(one) for key, one in params.items()}
    for value, params in found.values():
        assert value == pytest.approx(found["torch", "jfb"][0], rel=1e-6)
        for name, start in problem.params.items():
            np.testing.assert_allclose(params[name], found["torch", "jfb"][1][name], rtol=1e-5, atol=1e-6)
            assert abs(params[name] - start).max() > 1e-7


def test_a_folder_of_data_replaces_the_larger_data_set() -> None:
    assert {part.settings["data"] for part in Epochs().parts("paper", True)} == {"digits", "idx"}
    assert {part.settings["data"] for part in Epochs().parts("quick", True)} == {"digits", "mnist5k"}
    workers = {part.worker for part in Epochs().parts("quick", False)}
    assert workers == set(range(WORKERS))
