"""Options that a cell does not name."""

from __future__ import annotations

from typing import Any

import pytest

from bench.cell import Cell
from bench.options import solvers, with_defaults


@pytest.mark.parametrize("problem", ["tanh", "newton"])
def test_a_method_with_one_solver_gets_it_and_its_steps(problem: str) -> None:
    assert with_defaults(Cell("jax", problem, "ift_reused")) == {"K": 6, "solver": "newton"}


@pytest.mark.parametrize(
    ("problem", "expected"), [("tanh", {"K": 60, "solver": "picard"}), ("newton", {"K": 6, "solver": "newton"})]
)
def test_the_others_get_the_problem_s_usual_one(problem: str, expected: dict[str, Any]) -> None:
    assert with_defaults(Cell("jax", problem, "jfb")) == expected


@pytest.mark.parametrize(
    ("linear_solver", "M"), [("picard", 60), ("gmres", 20), ("normal_cg", 20), ("normal_cg_published", 20)]
)
def test_steps_of_the_linear_solvers(linear_solver: str, M: int) -> None:
    found = with_defaults(Cell("jax", "tanh", "ift", options={"linear_solver": linear_solver}))
    assert found == {"K": 60, "solver": "picard", "linear_solver": linear_solver, "M": M}


def test_a_method_of_an_older_package_fits_both_solvers() -> None:
    assert solvers(object()) == ("picard", "newton")
