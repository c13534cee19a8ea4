"""Networks under one adjoint each: equal parameters, kept contractions, and the runs of the smallest preset."""

from __future__ import annotations

import importlib
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.experiments import accuracy
from bench.experiments.accuracy import Accuracy, Neumann, bound, contracting
from bench.experiments.catalog import SIZES, Place
from bench.job import framework_of
from bench.plan import Part
from impls import problems
from impls.oracles import flat

COLUMNS = {"iteration", "loss", "test_error", "failed", "unscored", "diverged"}


@pytest.mark.parametrize("size", SIZES)
def test_the_networks_have_as_many_parameters_within_a_tenth(size: str) -> None:
    counts = {}
    for method in accuracy.METHODS:
        problem, sizes = accuracy.network(size, method)
        counts[method] = flat(problems.make(problem, batch=1, **sizes).params).size
    assert len({counts[method] for method in accuracy.METHODS if method != "mon"}) == 1
    assert 0.9 <= counts["mon"] / counts["jfb"] <= 1.1


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 3), st.sampled_from([8, 9]), st.floats(0.01, 100), st.integers(0, 999))
def test_the_bound_is_at_least_the_norm_and_at_most_its_root_of_channels(
    channels: int, size: int, scale: float, seed: int
) -> None:
    kernel = scale * np.random.default_rng(seed).normal(size=(3, 3, channels, channels))
    exact = problems.circular_norm(kernel, size)
    found = float(bound("torch", framework_of("torch", "cpu").array(kernel, "float64"), size))
    assert exact * (1 - 1e-9) <= found <= exact * np.sqrt(channels) * (1 + 1e-9)


def step_of(framework: str, scale: float, method: str = "jfb", gamma: float | None = 0.5) -> Any:
    """Gradient by the kernel and the residual of the solve, for a kernel that is ``scale`` times one of norm 0.5."""
    used = framework_of(framework, "cpu")
    made = problems.make("fpn", channels=2, batch=2, gamma=0.5)
    arrays = {name: scale * one if name == "R" else one for name, one in made.params.items()}
    params = {name: used.array(one, "float32") for name, one in arrays.items()}
    batch = {name: used.array(one, "float32") for name, one in made.batch.items()}

    def impls(name: str) -> Any:
        return importlib.import_module(f"impls.{framework}.{name}")

    fixed_point = partial(impls(f"adjoints.{method}").fixed_point, solver=impls("solvers").Picard(steps=40))
    if gamma:
        fixed_point = contracting(framework, fixed_point, gamma)
    loss = impls("models").loss("fpn", fixed_point)
    _, grads, found = used.gradient(impls("gradients.backprop").value_and_grad(loss), params, batch, None)[0]()
    return used.numpy(grads["R"]), float(used.numpy(found.residual))


def test_a_kernel_of_any_length_leaves_a_contraction() -> None:
    """The bound takes the length out: a longer kernel gives the same network, and a gradient across the kernel."""
    (short, near), (long, far) = (step_of("torch", scale) for scale in (10.0, 40.0))
    assert near == pytest.approx(far, abs=1e-7) and far < 1e-6
    np.testing.assert_allclose(long * 4, short, rtol=1e-3, atol=1e-5 * abs(short).max())


def test_the_frameworks_agree_and_a_short_kernel_stays_as_it_is() -> None:
    np.testing.assert_allclose(step_of("torch", 10.0)[0], step_of("jax", 10.0)[0], rtol=1e-3, atol=1e-7)
    bounded, free = (step_of("torch", 0.1, gamma=gamma)[0] for gamma in (0.5, None))
    np.testing.assert_allclose(bounded, free, rtol=1e-6, atol=1e-9)


@pytest.fixture(scope="module")
def smallest() -> dict[str, list[dict[str, Any]]]:
    return {
        str(part.settings["method"]): Accuracy().perform(part, Place(Path("none")))
        for part in Accuracy().parts("smoke", False)
    }


def test_every_method_starts_alike_and_gives_the_records_of_a_run(smallest: dict[str, Any]) -> None:
    assert set(smallest) == set(accuracy.METHODS)
    for records in smallest.values():
        assert [record["iteration"] for record in records] == [0, 1, 2]
        assert all(set(record) == COLUMNS and record["unscored"] == record["diverged"] == 0 for record in records)
    starts = {method: records[0]["loss"] for method, records in smallest.items()}
    assert starts["jfb"] == starts["ift"] == starts["unrolled"] != starts["explicit"]
    ends = {method: records[-1]["loss"] for method, records in smallest.items()}
    assert len(set(ends.values())) == len(ends)


def test_order_0_of_the_series_is_jfb(smallest: dict[str, Any]) -> None:
    found = {
        part.settings["k"]: Neumann().perform(part, Place(Path("none"))) for part in Neumann().parts("smoke", False)
    }
    for zero, jfb in zip(found[0], smallest["jfb"], strict=True):
        assert zero["loss"] == pytest.approx(jfb["loss"], rel=1e-6)
    assert found[1] == smallest["ift"]  # accuracy's smallest preset solves with two terms


@pytest.mark.parametrize("experiment", [Accuracy(), Neumann()], ids=["accuracy", "neumann"])
def test_presets_name_each_part_once_and_data_where_it_was_given(experiment: Any) -> None:
    for size in SIZES:
        parts: list[Part] = experiment.parts(size, False)
        assert len({part.id for part in parts}) == len(parts)
    assert {part.settings["data"] for part in experiment.parts("paper", True)} == {"idx"}
    assert {part.settings["data"] for part in experiment.parts("quick", True)} == {"digits"}


def test_each_order_is_a_cell_of_its_own() -> None:
    assert [cell.options["M"] for cell in Neumann().cells("quick") if cell.framework == "jax"] == [
        1,
        2,
        3,
        4,
        6,
        11,
        21,
    ]
