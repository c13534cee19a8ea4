"""Which experiments there are, what an experiment is, and which cells and parts a preset of them is."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.cells import Cell, on_gpus
from bench.plan import Part
from bench.presets import unique
from bench.select import nearest

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


# The cells and parts of a preset ----------------------------------------------------------------------------------

SMOKE_CELLS = 3
"""Cells of an experiment that the smallest preset measures: it is there to see that all of it works."""

SMOKE_JAX = ("training",)
"""Experiments of which it runs parts in jax too; compiling takes seconds each."""

ON_CPU = ("test_functions", "descent", "code_lines", "chain")
"""Experiments whose parts stay on the cpu: two variables, small matrices, text."""


@dataclass(frozen=True)
class Plan:
    """What a command line means."""

    cells_of: dict[str, tuple[Cell, ...]]
    """Of each experiment; one cell may serve several."""
    parts: tuple[Part, ...]
    memory_bytes: int
    """The most that one worker process holds at a time."""

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Each cell once."""
        return unique(cell for cells in self.cells_of.values() for cell in cells)


def plan(size: str, only: Sequence[str] = (), data: Path | None = None, gpus: Sequence[int] = ()) -> Plan:
    """The cells and parts of the named experiments, or of all; ``ValueError`` for a name that there is not and for a
    folder of data that cannot be used. With a GPU, whatever can run there does, on the first one."""
    if size not in SIZES:
        raise ValueError(f"No preset {size!r} of experiments: {nearest(size, SIZES)}")
    for name in only:
        if name not in EXPERIMENTS:
            raise ValueError(f"No experiment {name!r}: {nearest(name, EXPERIMENTS)}")
    which = None if data is None else _data_set(data, size)
    chosen = {name: experiment(name) for name in EXPERIMENTS if name in (only or EXPERIMENTS)}
    cells = {name: unique(one.cells(size)) for name, one in chosen.items()}
    parts = tuple(_named(part, which) for one in chosen.values() for part in one.parts(size, data is not None))
    if size == "smoke":
        cells = {name: _few(of_one) for name, of_one in cells.items()}
        parts = tuple(one for one in parts if one.framework != "jax" or one.experiment in SMOKE_JAX)
    if gpus:
        cells = {name: _placed(of_one, gpus) for name, of_one in cells.items()}
        parts = tuple(replace(one, device="cuda:0") if one.experiment not in ON_CPU else one for one in parts)
    return Plan(cells, parts, max(one.memory_bytes(size) for one in chosen.values()))


def _data_set(folder: Path, size: str) -> str:
    """What the folder holds, such as ``MNIST-2747871a``: its name if it is a known one, and a sum over its labels, so
    that results of two folders never pass for each other's."""
    if size != "paper":
        raise ValueError(f"The preset {size!r} trains on digits that are carried: take --preset paper with --data.")
    import hashlib

    from impls import datasets

    found = datasets.split("idx", folder=folder)
    labels = hashlib.md5(found.train_labels.tobytes() + found.test_labels.tobytes(), usedforsecurity=False)
    return f"{found.name}-{labels.hexdigest()[:8]}"


def _named(part: Part, which: str | None) -> Part:
    """The part with the name of the user's data set, where it takes that."""
    if which is None or part.settings.get("data") != "idx":
        return part
    return replace(part, settings={**part.settings, "data_set": which})


def _few(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """What the smallest preset keeps of an experiment: a few cells of torch, which has nothing to compile."""
    return tuple(cell for cell in cells if cell.framework == "torch")[:SMOKE_CELLS]


def _placed(cells: Iterable[Cell], gpus: Sequence[int]) -> tuple[Cell, ...]:
    """The cells of the cpu on the first GPU."""
    return on_gpus([replace(one, device="cuda") if one.device == "cpu" else one for one in cells], gpus[:1])


def listed(wanted: Plan) -> Iterable[str]:
    """One line an experiment, then the totals."""
    yield from (f"{name:<20} {EXPERIMENTS[name]}" for name in wanted.cells_of)
    yield f"{len(wanted.cells)} cells and {len(wanted.parts)} parts"
