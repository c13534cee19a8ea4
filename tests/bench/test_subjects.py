"""A built cell meets its oracle, and one that does not is refused before it is timed."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.cells import Cell
from bench.failures import Diverged, NotApplicable, Wrong
from bench.subjects import build

FRAMEWORKS = ("torch", "jax")
TANH = {"width": 8, "inputs": 4, "batch": 4}


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("tangents", ["gaussian", "rademacher", "sphere", "basis", "given"])
@pytest.mark.few(4)
def test_forward_gradient_meets_its_oracle_with_the_tangents_it_drew(
    framework: str, tangents: str, tmp_path: Path
) -> None:
    sizes = {"depth": 2, "width": 8, "batch": 4, "inputs": 5, "classes": 3}
    cell = Cell(framework, "mlp", "forward_gradient", sizes, {"tangents": tangents}, gradient="forward_gradient")
    assert build(cell, tmp_path).check() < 1e-5


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_full_basis_gives_the_gradient(framework: str, tmp_path: Path) -> None:
    sizes = {"batch": 4, "inputs": 5, "classes": 3}
    cell = Cell(
        framework, "logistic", "forward_gradient", sizes, {"tangents": "basis", "count": 18}, "forward_gradient"
    )
    job = build(cell, tmp_path)
    assert job.check() < 1e-5
    found = job.exact()
    assert found["parameters"] == 18
    assert found["gradient_error"] < 1e-5


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_function_of_two_variables_has_no_batch_and_no_products(framework: str, tmp_path: Path) -> None:
    job = build(Cell(framework, "rosenbrock", "backprop"), tmp_path)
    assert job.check() < 1e-5
    found = job.exact()
    assert (found["loss"], found["parameters"], found["checked_batch"]) == (104, 2, 1)
    assert (found["flops"], found["forward_flops"], found["flop_ratio"]) == (0, 0, None)


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.few(1)
def test_exact_values_of_an_implicit_cell(framework: str, tmp_path: Path) -> None:
    job = build(Cell(framework, "tanh", "ift", TANH, {"K": 40, "linear_solver": "gmres", "M": 8}), tmp_path)
    job.check()
    found = job.exact()
    assert found["parameters"] == 8 * 8 + 4 * 8
    assert found["forward_steps"] == 40
    assert found["backward_steps"] == 8
    assert found["backward_residual"] < 1e-5
    assert found["gradient_error"] < 1e-4
    assert found["peak_bytes"] > found["forward_peak_bytes"] > 0
    assert found["traffic"] > found["forward_traffic"] > 0


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_gradient_of_another_method_is_wrong(framework: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ift, jfb = (importlib.import_module(f"impls.{framework}.adjoints.{name}") for name in ("ift", "jfb"))

    def impostor(*args: Any, linear_solver: Any, **options: Any) -> Any:
        return jfb.fixed_point(*args, **options)

    monkeypatch.setattr(ift, "fixed_point", impostor)
    with pytest.raises(Wrong, match="away from its oracle"):
        build(Cell(framework, "tanh", "ift", TANH), tmp_path).check()


def off_by_a_thousandth(monkeypatch: pytest.MonkeyPatch, dtypes: set[str]) -> None:
    """Let torch's backprop return a gradient that is 0.001 too long, in these dtypes."""
    backprop = importlib.import_module("impls.torch.gradients.backprop")
    tree_map = importlib.import_module("impls.torch.ops").tree_map
    honest = backprop.value_and_grad

    def scaled(loss: Any) -> Any:
        def fn(*args: Any) -> Any:
            value, grads, aux = honest(loss)(*args)
            return value, tree_map(lambda g: 1.001 * g if str(g.dtype) in dtypes else g, grads), aux

        return fn

    monkeypatch.setattr(backprop, "value_and_grad", scaled)


NET = Cell("torch", "mlp", "backprop", {"depth": 2, "width": 8, "batch": 4, "inputs": 5, "classes": 3})


def test_a_small_deviation_is_no_excuse_where_float64_has_it_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    off_by_a_thousandth(monkeypatch, {"torch.float32", "torch.float64"})
    with pytest.raises(Wrong, match=r"0\.001 away .* 1e-10"):
        build(NET, tmp_path).check()


def test_float32_alone_may_deviate_beside_a_kink_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    off_by_a_thousandth(monkeypatch, {"torch.float32"})
    assert build(NET, tmp_path).check() == pytest.approx(1e-3, rel=1e-3)
    with pytest.raises(Wrong, match=r"0\.001 away .* 1e-04"):
        build(Cell("torch", "tanh", "jfb", TANH), tmp_path).check()


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_loss_that_is_no_number_has_diverged(framework: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    problems = importlib.import_module("impls.problems")
    honest = problems.make

    def spoilt(*args: Any, **sizes: Any) -> Any:
        problem = honest(*args, **sizes)
        problem.params["W"][0, 0] = np.nan
        return problem

    monkeypatch.setattr(problems, "make", spoilt)
    with pytest.raises(Diverged, match="loss is nan"):
        build(Cell(framework, "tanh", "jfb", TANH), tmp_path).check()


def test_several_sampled_tangents_have_no_oracle_yet(tmp_path: Path) -> None:
    sizes = {"depth": 2, "width": 8, "batch": 4, "inputs": 5, "classes": 3}
    cell = Cell("torch", "mlp", "forward_gradient", sizes, {"count": 2}, gradient="forward_gradient")
    with pytest.raises(NotApplicable, match="tangents=given"):
        build(cell, tmp_path).check()


def test_an_unknown_solver_is_refused_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="did you mean picard"):
        build(Cell("torch", "tanh", "jfb", TANH, {"solver": "picart"}), tmp_path)
