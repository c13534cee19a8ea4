"""One implicit gradient from every forward solver: gradient errors in float64."""

from __future__ import annotations

from reports.draw import Drawing
from reports.labels import COLOURS
from reports.paper_figures.cells import cells, point
from reports.paper_figures.dots import dots
from reports.paper_figures.points import Axis, Look
from reports.papers import Papers

SOLVERS = {"picard": "Picard forward", "newton": "Newton forward"}
LOOK = Look(
    "papers-solver-independence",
    "Gradient error by forward solver",
    "Implicit gradients in float64 against the true one, the state found by either forward solver: what is left is "
    "rounding. An error of exactly 0 has no place on the axis.",
    Axis("row"),
    {"": Axis("gradient error (logarithmic)", reach=(1e-16, 1e-10))},
    palette=dict(zip(SOLVERS.values(), (COLOURS["IFT, Picard"], COLOURS["IFT, dense"]), strict=True)),
)


def solver_independence(papers: Papers) -> Drawing | None:
    """A panel a problem, a row a forward solver."""
    found = [
        point(row, 0.0, "gradient_error", panel=f"{row['problem']} layer", label=SOLVERS.get(solver, solver))
        for row in cells(papers, "solver_independence", "gradient_error")
        for solver in [str(row["options"].get("solver"))]
    ]
    return dots(LOOK, found)
