"""Which experiments there are, what each is about, and which module runs it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bench.cells import Cell
from bench.plan import Part

SIZES = ("smoke", "quick", "paper")
"""The presets of experiments: of a minute, of 45 minutes on two cores, and as published."""

WORKERS = 6
"""Processes that time each cell and each timed part."""

Record = dict[str, Any]
"""One row of an experiment's table: names with numbers or texts."""


@dataclass(frozen=True)
class Place:
    """Where a part finds what it needs: a folder that the workers of one run share, and the folder of data that the
    user named, if any."""

    scratch: Path
    data: Path | None = None


class Experiment(Protocol):
    """A module of this package."""

    def cells(self, size: str) -> list[Cell]:
        """What the instruments of the grid measure; none where the experiment is all its own."""

    def parts(self, size: str, data: bool) -> list[Part]:
        """What needs a program of its own; ``data``: the user named a folder of IDX files."""

    def perform(self, part: Part, place: Place) -> list[Record]:
        """Run one part, in a worker process."""

    def memory_bytes(self, size: str) -> int:
        """The most that one worker process holds at a time, by hand."""


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
"""Every experiment by the name of its module, in the order of the documents."""


ELSEWHERE: Mapping[str, str] = {"peers": "bench.peers.perform", "capabilities": "bench.capabilities.measure"}
"""Those that have a command of their own."""


def module(name: str) -> Experiment:
    """The module of an experiment."""
    return importlib.import_module(ELSEWHERE.get(name, f"bench.experiments.{name}"))
