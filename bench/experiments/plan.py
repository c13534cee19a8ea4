"""Which cells and parts a preset of experiments is: pure lists, no processes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.cells import Cell, on_gpus
from bench.experiments.catalog import EXPERIMENTS, SIZES, experiment
from bench.plan import Part
from bench.presets import unique
from bench.select import nearest

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
