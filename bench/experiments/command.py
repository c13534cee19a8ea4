"""``python -m bench experiments``: run the papers' experiments, or say what they are."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from bench.experiments.catalog import EXPERIMENTS, SIZES, WORKERS
from bench.experiments.plan import Plan, plan, require_memory
from bench.flags import count, seconds
from bench.rows import ROOT, PartRow, VerdictRow, append, last_run, location, read, same

BUDGET_S = 0.3
"""Seconds of timed pairs in a visit: there are many cells, and what counts is the spread between processes."""


def add_flags(command: argparse.ArgumentParser) -> None:
    """The flags of the command."""
    command.add_argument("--preset", default="quick", help=f"{', '.join(SIZES)} (default: quick)")
    command.add_argument("--only", action="append", default=[], metavar="NAME", help="repeatable or comma separated")
    command.add_argument("--data", type=Path, metavar="FOLDER", help="a folder of IDX files that paper trains on")
    command.add_argument("--workers", type=count, default=WORKERS, help=f"a time cell (default: {WORKERS})")
    command.add_argument("--timeout", type=seconds, help="seconds after which a visit or part is given up")
    command.add_argument("--minutes", type=seconds, help="stop in time; the same command then goes on from there")
    command.add_argument("--budget", type=seconds, default=BUDGET_S, help="seconds of timed pairs in a visit")
    command.add_argument("--fresh", action="store_true", help="run again what the file already has")
    command.add_argument("--out", type=Path, help="the file that rows are added to")
    command.add_argument("--list", action="store_true", help="print what there is, and run nothing")


PART_S = 480.0
"""Seconds after which a visit or a part is given up, unless said otherwise."""


def experiments(given: argparse.Namespace) -> int:
    """Run what the flags mean, then say what came of it and where the rows are."""
    from bench.instruments import machine, sources
    from bench.progress import Progress
    from bench.run import measure

    gpus = range(len(machine.visible_gpus()))
    wanted = plan(given.preset, [name for text in given.only for name in text.split(",") if name], given.data, gpus)
    if given.list:
        print("\n".join(_listed(wanted)))
        return 0
    slots = 1 if gpus else min(2, len(machine.available_cores()))
    require_memory(wanted.memory_bytes, given.preset, machine.memory_for(slots))
    name = f"papers-{given.preset}"
    path = given.out or location(name, *sources.git(ROOT))
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
    from bench.expected import surprises
    from bench.plan import errands, tours
    from bench.summary import summarise

    kept = read(path)
    last = last_run(kept)
    told = surprises(wanted.cells, summarise(kept, wanted.cells))
    append(path, VerdictRow(run=last.run, surprises=told))
    for one in told:
        print(f"surprise: expected {one.expected}, found {one.found}: {one.cell}: {one.why}")
    newest = {(row.cell, row.worker): row for row in same(kept, last) if isinstance(row, PartRow)}
    found = [newest[part.id, part.worker] for part in wanted.parts if (part.id, part.worker) in newest]
    failed = [row for row in found if row.status != "ok"]
    for row in failed:
        print(f"{row.status}: {row.cell}: {row.reason}")
    made = {row.key for row in same(kept, last)}
    left = sum(map(len, tours(wanted.cells, workers, made) + errands(wanted.parts, made)))
    if left:
        print(f"{left} visits and parts are not made yet: the same command goes on from here.")
    print(f"\nrows: {path}")
    return 1 if told or any(row.status != "n/a" for row in failed) else 0
