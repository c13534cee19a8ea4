"""The implicit gradient by a dense solve, and by solvers that never form the matrix.

One sample, so that the Jacobian is one n × n matrix: forming and factoring it costs n products with it and n³, where
Picard and GMRES take as many products as the contraction factor asks for, whatever n.
"""

from __future__ import annotations

from bench.cells import Cell
from bench.experiments.alone import parts, perform
from bench.experiments.footprint import holding
from bench.presets import ift, implicit, on

__all__ = ["cells", "memory_bytes", "parts", "perform"]

WIDTHS = {"smoke": (4, 8), "quick": (32, 128, 512, 1024), "paper": (32, 128, 512, 1024, 4096)}
SHAPES = {"smoke": (16,), "quick": (4096,), "paper": ()}
"""Widths whose bytes and flops are found from shapes alone, where nothing is solved."""

STEPS = {"smoke": 6, "quick": 60, "paper": 60}
KRYLOV = {"smoke": 3, "quick": 20, "paper": 20}


def cells(size: str) -> list[Cell]:
    """Three linear solvers at every width."""

    def at(width: int) -> list[Cell]:
        solvers = ift("dense"), ift("picard", STEPS[size]), ift("gmres", KRYLOV[size])
        return implicit("tanh", {"gamma": 0.8, "width": width, "batch": 1}, {"K": STEPS[size]}, *solvers)

    solved = [cell for width in WIDTHS[size] for cell in at(width)]
    return solved + on("meta", [cell for width in SHAPES[size] for cell in at(width) if _has_shapes(cell)])


def _has_shapes(cell: Cell) -> bool:
    """torch's dense solve looks at numbers to see whether the matrix is singular; GMRES peaks where Picard does."""
    return cell.options["linear_solver"] == "picard" or (
        cell.framework == "jax" and cell.options["linear_solver"] == "dense"
    )


def memory_bytes(size: str) -> int:
    """The weight, and a few copies of the Jacobian in the dense solve and in its oracle."""
    width = max(WIDTHS[size])
    return holding(parameters=width * width, activations=2 * width * width)
