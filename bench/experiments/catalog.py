"""Which experiments there are, and what an experiment is."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.cells import Cell
from bench.plan import Part

SIZES = ("smoke", "quick", "paper")
"""The presets of experiments: of a minute, of 45 minutes on two cores, and as published."""

WORKERS = 6
"""Processes that time each cell and each timed part."""

Record = dict[str, Any]
"""One row of an experiment's table: names with numbers or texts."""

EXPERIMENTS: Mapping[str, str] = {
    "test_functions": "Baydin, figure 2: descent on Beale's and Rosenbrock's functions",
    "ratios": "Baydin, figures 3 to 5: R_f and R_b of three models, over width and batch, and the full basis",
    "depth": "Baydin, figure 6: R and memory against depth, and what the memory is made of",
    "training": "Baydin, figure 4: loss and test error against iterations and seconds",
    "epochs": "JFB, table 2: seconds of an epoch under every adjoint",
    "accuracy": "JFB, table 1 in small: test error at equal parameters",
    "neumann": "JFB, figure 6: Neumann series of order k",
    "descent": "JFB, theorem 0.2: when the JFB direction is one of descent",
    "code_lines": "JFB: lines of code of each adjoint",
    "newton_layer": "Lecture: a Newton layer, unrolled against implicit",
    "inverse": "Lecture: dense inverse against matrix-free solves",
    "solver_independence": "Lecture: one implicit gradient from every forward solver",
    "chain": "Lecture: the norm of ∂z_K/∂z_0, which vanishes or explodes",
    "memory_steps": "Theseus, figure 4: memory against iterations",
    "work_precision": "Gradient error against R as each method's options move",
}
"""Every experiment by its name, in the order of the documents."""

CLASSES: Mapping[str, str] = {
    "test_functions": "experiments.training.FunctionPaths",
    "ratios": "experiments.grids.Ratios",
    "depth": "experiments.depth.Depth",
    "training": "experiments.training.Training",
    "epochs": "experiments.epochs.Epochs",
    "accuracy": "experiments.accuracy.Accuracy",
    "neumann": "experiments.accuracy.Neumann",
    "descent": "experiments.descent.Descent",
    "code_lines": "experiments.code_lines.CodeLines",
    "newton_layer": "experiments.grids.NewtonLayer",
    "inverse": "experiments.grids.Inverse",
    "solver_independence": "experiments.grids.SolverIndependence",
    "chain": "experiments.chain.Chain",
    "memory_steps": "experiments.grids.MemorySteps",
    "work_precision": "experiments.grids.WorkPrecision",
    "peers": "peers.perform.Peers",
    "capabilities": "capabilities.measure.Capabilities",
}
"""Where each one is in ``bench``; the last two have a command of their own."""


@dataclass(frozen=True)
class Place:
    """Where a part finds what it needs: a folder that the workers of one run share, and the folder of data that the
    user named, if any."""

    scratch: Path
    data: Path | None = None


class Experiment:
    """What one experiment measures. size is one of ``SIZES``."""

    def cells(self, size: str) -> list[Cell]:
        """What the instruments of the grid measure; none where the experiment is all its own."""
        return []

    def parts(self, size: str, data: bool) -> list[Part]:
        """What needs a program of its own; ``data``: the user named a folder of IDX files."""
        return []

    def perform(self, part: Part, place: Place) -> list[Record]:
        """Run one part, in a worker process; the rows of the experiment's table that come of it."""
        raise LookupError(f"{part.experiment}: {part.id!r} is no part of this experiment: take one that parts() lists.")

    def memory_bytes(self, size: str) -> int:
        """The most that one worker process holds at a time, by hand."""
        raise NotImplementedError


def experiment(name: str) -> Experiment:
    """An experiment by its name."""
    module, _, kind = CLASSES[name].rpartition(".")
    found: Experiment = getattr(importlib.import_module(f"bench.{module}"), kind)()
    return found


# What a worker process holds, by hand -----------------------------------------------------------------------------

PROCESS = 700_000_000
"""A framework with its compiler, libraries and what they keep of earlier cells."""


def holding(*, parameters: int = 0, activations: int = 0) -> int:
    """Bytes of a process with a cell of so many parameters and so many numbers in arrays that grow with the batch.

    Of the parameters: the problem, a tangent, the oracle's gradient and the checked one in float64, three in float32,
    and the same again where a kink of ReLU sends the check to float64. Of the rest: the oracle's and the framework's.
    """
    return PROCESS + 80 * parameters + 24 * activations
