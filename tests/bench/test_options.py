"""Options that a cell does not name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.cells import Cell, solvers, with_defaults
from bench.failures import NotApplicable
from bench.subjects import build


@pytest.mark.parametrize("problem", ["tanh", "newton"])
def test_a_method_with_one_solver_gets_it_and_its_steps(problem: str) -> None:
    assert with_defaults(Cell("jax", problem, "ift_reused")) == {"K": 6, "solver": "newton"}


@pytest.mark.parametrize(
    ("problem", "expected"), [("tanh", {"K": 60, "solver": "picard"}), ("newton", {"K": 6, "solver": "newton"})]
)
def test_the_others_get_the_problem_s_usual_one(problem: str, expected: dict[str, Any]) -> None:
    assert with_defaults(Cell("jax", problem, "jfb")) == expected


@pytest.mark.parametrize(
    ("linear_solver", "M"),
    [
        ("picard", 60),
        ("gmres", 20),
        ("normal_cg", 20),
        ("normal_cg_published", 20),
        ("bicgstab", 10),
        ("anderson", 20),
    ],
)
def test_steps_of_the_linear_solvers(linear_solver: str, M: int) -> None:
    found = with_defaults(Cell("jax", "tanh", "ift", options={"linear_solver": linear_solver}))
    assert found == {"K": 60, "solver": "picard", "linear_solver": linear_solver, "M": M}


def test_a_method_of_an_older_package_fits_both_solvers() -> None:
    assert solvers(object()) == ("picard", "newton")


def test_a_direct_solver_has_no_steps() -> None:
    found = with_defaults(Cell("jax", "tanh", "ift", options={"linear_solver": "dense"}))
    assert found == {"K": 60, "solver": "picard", "linear_solver": "dense"}


@pytest.mark.parametrize(("solver", "K"), [("picard", 60), ("newton", 6), ("anderson", 20)])
def test_steps_of_the_forward_solvers(solver: str, K: int) -> None:
    assert with_defaults(Cell("jax", "newton", "jfb", options={"solver": solver})) == {"K": K, "solver": solver}
    assert with_defaults(Cell("jax", "tanh", "jfb", options={"solver": solver, "K": 3}))["K"] == 3


@pytest.mark.parametrize(
    ("method", "solver", "words"),
    [
        ("unrolled", "anderson", "The solver 'anderson' does not fit 'unrolled': take picard or newton."),
        ("ift_reused", "anderson", "The solver 'anderson' does not fit 'ift_reused': take newton."),
        ("ift_reused", "picard", "The solver 'picard' does not fit 'ift_reused': take newton."),
    ],
)
def test_a_solver_that_does_not_fit_is_not_applicable(method: str, solver: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(NotApplicable) as caught:
        build(Cell("torch", "tanh", method, {"width": 4, "batch": 2}, {"solver": solver, "K": 3}), tmp_path)
    assert str(caught.value) == words
