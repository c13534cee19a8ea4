"""Options that a cell does not name, filled in."""

from __future__ import annotations

from typing import Any

from bench.cell import Cell

IMPLICIT = {"K": 60}
NEWTON_STEPS = 6
LINEAR = {"linear_solver": "picard", "M": 60}
KRYLOV = ("gmres", "normal_cg", "normal_cg_published")
KRYLOV_STEPS = 20


def with_defaults(cell: Cell) -> dict[str, Any]:
    """Every option of a cell."""
    from impls.catalog import METHODS

    given = dict(cell.options)
    filled: dict[str, Any] = {}
    if METHODS[cell.method].interface == "adjoint":
        usual, fitting = usual_solver(cell.problem), solvers(METHODS[cell.method])
        filled |= IMPLICIT | {"solver": usual if usual in fitting else fitting[0]}
        if given.get("solver", filled["solver"]) == "newton":
            filled["K"] = NEWTON_STEPS
    if "linear_solver" in METHODS[cell.method].options:
        filled |= LINEAR
        kind = given.get("linear_solver", filled["linear_solver"])
        if kind in KRYLOV:
            filled["M"] = KRYLOV_STEPS
        if kind == "dense":
            del filled["M"]
    if cell.gradient == "forward_gradient":
        filled["tangents"] = "gaussian"
    return filled | given


def usual_solver(problem: str) -> str:
    """The forward solver of cells of a problem that name none."""
    return "newton" if problem == "newton" else "picard"


def solvers(row: Any) -> tuple[str, ...]:
    """The forward solvers that fit a method, of an older ``impls`` too, where all did."""
    return tuple(getattr(row, "solvers", ("picard", "newton")))
