"""One implicit gradient from every forward solver: the theorem asks where z* is, not how it was found.

In float64, with enough steps of either solver for z* to be exact to rounding, so that gradient errors are rounding.
"""

from __future__ import annotations

from dataclasses import replace

from bench.cells import Cell
from bench.experiments.alone import parts, perform
from bench.experiments.footprint import holding
from bench.presets import EXACT, ift, implicit

__all__ = ["cells", "memory_bytes", "parts", "perform"]

SOLVERS = {"picard": 200, "newton": 12}
"""Each forward solver with its K."""

PROBLEMS = ("tanh", "newton")
LAYER = {"smoke": {"width": 4, "batch": 2}, "quick": {"width": 16, "batch": 8}, "paper": {"width": 64, "batch": 64}}


def cells(size: str) -> list[Cell]:
    """Dense backward solves, which have no tolerance of their own."""
    found: list[Cell] = []
    for problem in PROBLEMS:
        for solver, K in SOLVERS.items():
            found += implicit(problem, LAYER[size], {"solver": solver, "K": K}, ift("dense"), measures=EXACT)
    return [replace(cell, dtype="float64") for cell in found]


def memory_bytes(size: str) -> int:
    """A few n × n matrices a sample."""
    width, batch = LAYER[size]["width"], LAYER[size]["batch"]
    return holding(activations=4 * batch * width * width)
