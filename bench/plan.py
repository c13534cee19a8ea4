"""What to visit, and in which order; and the row of a visit once it is answered: pure lists, no processes."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.cells import Cell, Settings, Value
from bench.rows import PartRow, Values, Visited, VisitRow, made, printable

Key = tuple[str, str, int]
"""What identifies a visit: the id of its cell, its measure and its worker, as ``rows.VisitRow.key``."""


@dataclass(frozen=True)
class Part:
    """A training run of one seed, one sample of a comparison of times: small enough to be lost in a kill.

    experiment: its module in ``bench/experiments``. framework: torch, jax, or numpy where none is needed. settings:
    what the experiment needs to know, such as the method, the rate and the seed. worker: parts with different numbers
    are taken by different processes, so that their times are independent samples.
    """

    experiment: str
    framework: str
    settings: Mapping[str, Value] = field(default_factory=Settings)
    worker: int = 0
    device: str = "cpu"
    dtype: str = "float32"

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", Settings(self.settings))  # frozen, so it goes in past the guard

    @property
    def id(self) -> str:
        """The part in one line, such as ``training/torch/cpu/float32/(lr=0.1,method=backprop,seed=0)``."""
        return f"{self.experiment}/{self.framework}/{self.device}/{self.dtype}/{self.settings}"

    def as_json(self) -> dict[str, Any]:
        """Plain values that ``Part(**…)`` turns back into an equal part."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return plain | {"settings": dict(self.settings)}


@dataclass(frozen=True)
class Visit:
    """One measure of one cell by one worker; or one part of an experiment, whose measure is called ``part``."""

    cell: Cell | Part
    measure: str
    worker: int

    @property
    def key(self) -> Key:
        """What identifies it."""
        return self.cell.id, self.measure, self.worker


def visit_row(run: str, visit: Visit, answer: Mapping[str, Any], core: int | None, seconds: float) -> Visited:
    """The row of one visit from a worker's answer: its ``status``, ``reason`` and, where it is ok, what it found.

    An answer that makes no row, such as one with a negative size, becomes a row that failed.
    """
    facts = {name: value for name, value in visit.cell.as_json().items() if name != "measures"}
    fields = facts | {
        "run": run,
        "cell": visit.cell.id,
        "measure": visit.measure,
        "worker": visit.worker,
        "status": answer["status"],
        "reason": printable(answer["reason"]),
        "started": answer["started"],
        "seconds": round(seconds, 3),
        "load": answer["load"],
        "core": core,
        "conditions": answer.get("conditions") or None,
    }
    found = answer if answer["status"] == "ok" else {}
    try:
        if visit.measure == "part":
            return made(PartRow, fields | {"records": found.get("records", [])})
        samples = {name: [round(one, 9) for one in taken] for name, taken in found.get("samples", {}).items()}
        values = found.get("values", {})
        if later := values.keys() - set(Values.__struct_fields__):
            raise ValueError(f"No such values are known: {', '.join(sorted(later))}")
        sizes = answer.get("sizes") or facts["sizes"]
        return made(VisitRow, fields | {"sizes": sizes, "samples": samples, "values": values})
    except ValueError as error:
        if not found:  # of a failure nothing is taken over but its words
            raise
        reason = f"What the worker answered is no row of results: {error}."
        lost = {"status": "failed", "reason": reason, "started": answer["started"], "load": answer["load"]}
        return visit_row(run, visit, lost, core, seconds)


Tour = tuple[Visit, ...]
"""The visits of one group of processes, in order; all in one framework, mode and dtype, on one device, by a measure."""


def tours(cells: Iterable[Cell], workers: int, done: Collection[Key] = frozenset()) -> list[Tour]:
    """The tours through cells, without the visits that are ``done``.

    Exact visits come first, since they tell early which cells fail; then ``workers`` processes for each kind of cell
    (framework, mode, device and dtype, since jax's float64 changes a whole process) that visit each time cell once.
    One process makes all exact visits of a kind, but on a GPU each of jax's has its own: the device's peak cannot be
    reset from inside.
    """
    kinds: dict[tuple[str, str, str, str], list[Cell]] = {}
    for cell in cells:
        kinds.setdefault((cell.framework, cell.mode, cell.device, cell.dtype), []).append(cell)
    found: list[Sequence[Visit]] = []
    for (framework, _, device, _), alike in kinds.items():
        exact = [Visit(cell, "exact", 0) for cell in alike if "exact" in cell.measures]
        apart = framework == "jax" and device.startswith("cuda")
        found += [[visit] for visit in exact] if apart else [exact]
    # Compiled kinds come last, since they take longest: a run that is out of time has the usual modes whole.
    for late in (False, True):
        for worker in range(workers):
            for (_, mode, _, _), alike in kinds.items():
                if (mode == "compiled") == late:
                    found.append(shuffled([cell for cell in alike if "time" in cell.measures], worker))
    return _undone(found, done)


def shuffled(cells: Sequence[Cell], worker: int) -> Tour:
    """The time visits of one worker in an order of its own, seeded with its index, so that no cell always comes first
    or always follows the same neighbour."""
    tour = [Visit(cell, "time", worker) for cell in cells]
    random.Random(worker).shuffle(tour)
    return tuple(tour)


def errands(parts: Iterable[Part], done: Collection[Key] = frozenset()) -> list[Tour]:
    """The tours through parts of experiments, without those that are ``done``: one process for all of an experiment,
    framework, device, dtype and worker. The process with the most parts comes first, so that it is not the one that all
    others wait for."""
    found: dict[tuple[str, str, str, str, int], list[Visit]] = {}
    for part in parts:
        kind = part.experiment, part.framework, part.device, part.dtype, part.worker
        found.setdefault(kind, []).append(Visit(part, "part", part.worker))
    return sorted(_undone(found.values(), done), key=len, reverse=True)


def _undone(found: Iterable[Sequence[Visit]], done: Collection[Key]) -> list[Tour]:
    left = (tuple(visit for visit in tour if visit.key not in done) for tour in found)
    return [tour for tour in left if tour]
