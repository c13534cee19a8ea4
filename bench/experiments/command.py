"""``python -m bench experiments``: run the papers' experiments, or say what they are."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.cell import Cell
from bench.experiments.catalog import EXPERIMENTS, SIZES, module
from bench.flags import count, seconds
from bench.grid import nearest, on_gpus, unique
from bench.part import Part

BUDGET_S = 0.3
"""Seconds of timed pairs in a visit: there are many cells, and what counts is the spread between processes."""


def add_flags(command: argparse.ArgumentParser) -> None:
    """The flags of the command."""
    command.add_argument("--preset", default="quick", help=f"{', '.join(SIZES)} (default: quick)")
    command.add_argument("--only", action="append", default=[], metavar="NAME", help="repeatable or comma separated")
    command.add_argument("--data", type=Path, metavar="FOLDER", help="a folder of IDX files that paper trains on")
    command.add_argument("--workers", type=count, default=8, help="processes that visit each time cell (default: 8)")
    command.add_argument("--timeout", type=seconds, help="seconds after which a visit or part is given up")
    command.add_argument("--minutes", type=seconds, help="stop in time; the same command then goes on from there")
    command.add_argument("--budget", type=seconds, default=BUDGET_S, help="seconds of timed pairs in a visit")
    command.add_argument("--fresh", action="store_true", help="run again what the file already has")
    command.add_argument("--out", type=Path, help="the file that rows are added to")
    command.add_argument("--list", action="store_true", help="print what there is, and run nothing")


PART_S = 480.0
"""Seconds after which a visit or a part is given up, unless said otherwise."""

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
    modules = {name: module(name) for name in EXPERIMENTS if name in (only or EXPERIMENTS)}
    cells = {name: unique(one.cells(size)) for name, one in modules.items()}
    parts = tuple(_named(part, which) for one in modules.values() for part in one.parts(size, data is not None))
    if size == "smoke":
        cells = {name: _few(of_one) for name, of_one in cells.items()}
        parts = tuple(one for one in parts if one.framework != "jax" or one.experiment in SMOKE_JAX)
    if gpus:
        cells = {name: _placed(of_one, gpus) for name, of_one in cells.items()}
        parts = tuple(replace(one, device="cuda:0") if one.experiment not in ON_CPU else one for one in parts)
    return Plan(cells, parts, max(one.memory_bytes(size) for one in modules.values()))


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


def require_memory(needed: int, size: str, available: int) -> None:
    """Refuse a preset of which one worker process would hold more than it may."""
    if needed > available:
        raise ValueError(
            f"The preset {size!r} needs {needed / 1e9:.1f} GB in one worker process and this machine has "
            f"{available / 1e9:.1f} GB for it: take a smaller preset, or name fewer experiments with --only."
        )


def experiments(given: argparse.Namespace) -> int:
    """Run what the flags mean, then say what came of it and where the rows are."""
    from bench import store
    from bench.instruments import gpu, machine
    from bench.measure import measure
    from bench.progress import Progress
    from bench.rows import ROOT

    gpus = range(len(gpu.visible()))
    wanted = plan(given.preset, [name for text in given.only for name in text.split(",") if name], given.data, gpus)
    if given.list:
        print("\n".join(_listed(wanted)))
        return 0
    slots = 1 if gpus else min(2, len(machine.available_cores()))
    require_memory(wanted.memory_bytes, given.preset, machine.memory_for(slots))
    name = f"papers-{given.preset}"
    path = given.out or store.location(name, *machine.git(ROOT))
    rows = measure(
        wanted.cells,
        parts=wanted.parts,
        experiments={name: [cell.id for cell in cells] for name, cells in wanted.cells_of.items()},
        data=given.data.resolve() if given.data else None,
        workers=given.workers,
        path=path,
        preset=name,
        slots=slots,
        timeout_s=given.timeout or PART_S,
        stop_after_s=60 * given.minutes if given.minutes else None,
        pairs={"budget_s": given.budget},
        fresh=given.fresh,
        share_compiled=True,
        progress=Progress(),
    )
    for _ in rows:
        pass
    return _told(path, wanted, given.workers)


def _listed(wanted: Plan) -> Iterable[str]:
    """One line an experiment, then the totals."""
    yield from (f"{name:<20} {EXPERIMENTS[name]}" for name in wanted.cells_of)
    yield f"{len(wanted.cells)} cells and {len(wanted.parts)} parts"


def _told(path: Path, wanted: Plan, workers: int) -> int:
    """Print what failed and what is left; 1 where a part or cell failed otherwise than expected."""
    from bench import store
    from bench.expected import surprises
    from bench.plan import errands, tours
    from bench.rows import verdict_row
    from bench.summary import summarise

    notes: list[str] = []
    kept = store.read(path, notes)
    for note in notes:
        print(note, file=sys.stderr)
    last = [row for row in kept if row["kind"] == "run"][-1]
    told = surprises(wanted.cells, summarise(kept, wanted.cells))
    store.append(path, verdict_row(last["run"], told))
    for one in told:
        print(f"surprise: expected {one['expected']}, found {one['found']}: {one['cell']}: {one['why']}")
    newest = {(row["cell"], row["worker"]): row for row in store.same(kept, last, ("part",))}
    found = [newest[part.id, part.worker] for part in wanted.parts if (part.id, part.worker) in newest]
    failed = [row for row in found if row["status"] != "ok"]
    for row in failed:
        print(f"{row['status']}: {row['cell']}: {row['reason']}")
    made = {(row["cell"], row["measure"], row["worker"]) for row in store.same(kept, last, ("visit", "part"))}
    left = sum(map(len, tours(wanted.cells, workers, made) + errands(wanted.parts, made)))
    if left:
        print(f"{left} visits and parts are not made yet: the same command goes on from here.")
    print(f"\nrows: {path}")
    return 1 if told or any(row["status"] != "n/a" for row in failed) else 0
