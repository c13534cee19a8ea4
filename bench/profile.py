"""``python -m bench profile``: where the time of one cell's gradient call goes, beside its forward's."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from bench.cells import Cell
from bench.flags import count
from bench.instruments.profile import PROFILERS, table
from bench.select import add_flags as add_cells
from bench.select import chosen, says_which


def add_flags(command: argparse.ArgumentParser) -> None:
    """The flags of the command."""
    add_cells(command)
    command.add_argument("--calls", type=count, default=10, help="profiled calls of each kind (default: 10)")


def profile(given: argparse.Namespace) -> int:
    """Build the one cell that the flags mean, check its gradient, profile both calls and print a table."""
    from bench.processes import Launch, Task, environment
    from bench.run import WORKER
    from bench.subjects import build

    cell = _one(given)
    os.environ.update(environment(Launch(sys.executable, WORKER), Task()))
    os.environ.pop("XLA_FLAGS", None)
    with tempfile.TemporaryDirectory() as folder:
        job = build(cell, Path(folder))
        job.check()  # right before fast
        forward, gradient = (
            PROFILERS[cell.framework](call, job.sync, given.calls) for call in (job.forward, job.gradient)
        )
    print(f"{cell.id}\n\n{table(gradient, forward)}")
    return 0


def _one(given: argparse.Namespace) -> Cell:
    """The cell that the flags mean; ``ValueError`` for none, several, or one that cannot be profiled."""
    if not says_which(given):
        raise ValueError("Nothing says which cell to profile: give --framework, --problem and --method.")
    cells = chosen(given)
    if len(cells) > 1:
        raise ValueError(
            f"The flags mean {len(cells)} cells: profile one, named by --framework, --problem and --method."
        )
    (cell,) = cells
    if cell.device != "cpu":
        raise ValueError(f"A profile is of calls on the CPU, not on {cell.device}: leave --device out.")
    if cell.mode == "compiled":
        raise ValueError("Compiled code is one operation to torch's profiler: profile the mode eager.")
    return cell
