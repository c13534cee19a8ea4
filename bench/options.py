"""Options that a cell does not name, filled in."""

from __future__ import annotations

from typing import Any

from bench.cell import Cell

IMPLICIT = {"K": 60, "solver": "picard"}
NEWTON_STEPS = 6
LINEAR = {"linear_solver": "picard", "M": 60}
KRYLOV_STEPS = 20


def with_defaults(cell: Cell) -> dict[str, Any]:
    """Every option of a cell."""
    from impls.catalog import METHODS

    given = dict(cell.options)
    filled: dict[str, Any] = {}
    if METHODS[cell.method].interface == "adjoint":
        filled |= IMPLICIT | ({"solver": "newton"} if cell.problem == "newton" else {})
        if given.get("solver", filled["solver"]) == "newton":
            filled["K"] = NEWTON_STEPS
    if "linear_solver" in METHODS[cell.method].options:
        filled |= LINEAR
        kind = given.get("linear_solver", filled["linear_solver"])
        if kind == "gmres":
            filled["M"] = KRYLOV_STEPS
        if kind == "dense":
            del filled["M"]
    if cell.gradient == "forward_gradient":
        filled["tangents"] = "gaussian"
    return filled | given
