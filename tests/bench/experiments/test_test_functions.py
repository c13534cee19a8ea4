"""Descent on the two test functions: the first step by hand, both frameworks, seeds, and the loop inside jax."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from bench.cells import Value
from bench.experiments import training
from bench.experiments.catalog import WORKERS, Place, Record
from bench.experiments.fit import compiled, draw
from bench.experiments.training import FunctionPaths, binding
from bench.job import framework_of
from bench.plan import Part
from bench.subjects import loss_of

experiment = FunctionPaths()
PLACE = Place(Path("unused"))
FIRST = {"beale": (0.0 + 0.01 * 9.46875, 0.5), "rosenbrock": (-1.0 + 5e-4 * 404, 0.0 + 5e-4 * 200)}
"""The start less rate × gradient: ∇ of Beale's function is (−9.46875, 0) there, of Rosenbrock's (−404, −200)."""


@cache
def path(framework: str, function: str, method: str, seed: int = 0, iterations: int = 50) -> tuple[Record, ...]:
    rate = training.PUBLISHED[function][0]
    settings: dict[str, Value] = {"what": "path", "function": function, "method": method, "rate": rate, "seed": seed}
    part = Part("test_functions", framework, {**settings, "iterations": iterations}, dtype="float64")
    return tuple(experiment.perform(part, PLACE))


@pytest.mark.parametrize("function", FIRST)
def test_backprop_takes_the_step_by_hand_and_the_same_path_in_both_frameworks(function: str) -> None:
    one, two = path("torch", function, "backprop"), path("jax", function, "backprop")
    assert [record["iteration"] for record in one][:3] == [0, 1, 2] and one[-1]["iteration"] == 50
    assert (one[1]["x"], one[1]["y"]) == pytest.approx(FIRST[function], rel=1e-9)
    for a, b in zip(one, two, strict=True):
        assert a == pytest.approx(b, rel=1e-8)
    assert one[-1]["value"] < one[0]["value"] / 10


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_forward_gradients_first_step_is_downhill_and_its_seeds_differ(framework: str) -> None:
    one, two = (path(framework, "beale", "forward_gradient", seed) for seed in (0, 1))
    moved = [np.array([path[1][name] - path[0][name] for name in "xy"]) for path in (one, two)]
    assert one[0] == two[0]
    assert all(move @ np.array([-9.46875, 0.0]) < 0 for move in moved)
    assert abs(np.linalg.det(moved)) > 1e-9  # along tangents of their own


def test_the_loop_inside_jax_makes_the_steps_one_after_another() -> None:
    used, rate = framework_of("jax", "cpu"), 0.01
    step = compiled(used, binding("jax", "forward_gradient").train_step(loss_of("jax", "beale")))
    params = {"xy": used.array(np.array([0.0, 0.5]), "float64")}
    for index in range(3):
        params = step(params, {}, draw(used, used.rng(1), index), rate)[1]
    last = path("jax", "beale", "forward_gradient", 1)[3]
    assert last["iteration"] == 3
    assert (last["x"], last["y"]) == pytest.approx(tuple(used.numpy(params["xy"])), rel=1e-8)


def test_a_path_ends_where_its_value_is_no_finite_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(training.PUBLISHED, "beale", (10.0, 1000))
    found = path("torch", "beale", "backprop", seed=7, iterations=1000)
    assert found[-1]["iteration"] < 1000 and not np.isfinite(found[-1]["value"])
    assert all(np.isfinite(record["value"]) for record in found[:-1])


def test_the_presets_say_what_was_published() -> None:
    paper = experiment.parts("paper", data=False)
    runs = [part for part in paper if part.settings["what"] == "path"]
    assert len(runs) == 2 * 2 * (10 + 1) and len(paper) - len(runs) == 2 * 2 * WORKERS
    assert {(one.settings["function"], one.settings["iterations"]) for one in runs} == {
        ("beale", 1000),
        ("rosenbrock", 25_000),
    }
    for size in ("smoke", "quick", "paper"):
        ids = [(part.id, part.worker) for part in experiment.parts(size, data=False)]
        assert len(set(ids)) == len(ids) and not experiment.cells(size)


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_times_are_of_both_methods_in_the_same_rounds(framework: str) -> None:
    part = Part("test_functions", framework, {"what": "time", "function": "beale", "rate": 0.01})
    found = experiment.perform(part, PLACE)
    assert [record["method"] for record in found] == ["backprop", "forward_gradient"]
    assert found[0]["ratio"] == 1.0 and found[1]["ratio"] > 0
    assert found[0]["rounds"] == found[1]["rounds"] >= 9
    assert all(0 < record["seconds"] < 60 for record in found)
