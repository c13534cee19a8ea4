"""Options that a cell does not name, filled in."""

from __future__ import annotations

from typing import Any

from bench.cells import Cell
from bench.failures import NotApplicable

STEPS = {"picard": 60, "newton": 6, "anderson": 20}
"""K of each forward solver."""
TERMS = {"picard": 60, "gmres": 20, "normal_cg": 20, "normal_cg_published": 20, "bicgstab": 10, "anderson": 20}
"""M of each linear solver; a direct one has none."""


def with_defaults(cell: Cell) -> dict[str, Any]:
    """Every option of a cell."""
    from impls.catalog import METHODS

    given = dict(cell.options)
    filled: dict[str, Any] = {}
    row = METHODS[cell.method]
    if row.interface == "adjoint":
        usual, fitting = usual_solver(cell.problem), solvers(row)
        filled["solver"] = given.get("solver", usual if usual in fitting else fitting[0])
        filled["K"] = STEPS.get(filled["solver"], STEPS["picard"])
    if "linear_solver" in row.options:
        filled["linear_solver"] = given.get("linear_solver", "picard")
        if filled["linear_solver"] != "dense":
            filled["M"] = TERMS.get(filled["linear_solver"], TERMS["picard"])
    if cell.gradient == "forward_gradient":
        filled["tangents"] = "gaussian"
    return filled | given


def require_solver(method: str, solver: str) -> None:
    """Raise ``NotApplicable`` for a known forward solver that does not fit a method; an unknown one is left to whoever
    looks it up, and has a hint for it."""
    from impls.catalog import CHOICES, METHODS

    fitting = solvers(METHODS[method])
    if solver not in fitting and solver in CHOICES["solver"]:
        raise NotApplicable(f"The solver {solver!r} does not fit {method!r}: take {' or '.join(fitting)}.")


def usual_solver(problem: str) -> str:
    """The forward solver of cells of a problem that name none."""
    return "newton" if problem == "newton" else "picard"


def solvers(row: Any) -> tuple[str, ...]:
    """The forward solvers that fit a method, of an older ``impls`` too, where all did."""
    return tuple(getattr(row, "solvers", ("picard", "newton")))
