"""``python -m bench.gate BASE HEAD``: exit status 1 on a regression, 2 where it is undecided, else 0."""

from __future__ import annotations

import argparse
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

from bench.flags import count, guarded, seconds
from bench.select import add_flags as add_cells
from bench.select import chosen


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(
        prog="python -m bench.gate",
        description="Compare the gradients of two commits: time, bytes, flops and float64 errors.",
    )
    means = "a revision, or a folder with impls in it"
    found.add_argument("base", metavar="BASE", help=f"what it is compared with: {means}")
    found.add_argument("head", metavar="HEAD", nargs="?", default="HEAD", help=f"the change: {means} (default: HEAD)")
    add_cells(found, preset="track")
    found.add_argument("--pairs", type=count, help="pairs of processes a cell and look (default: 6)")
    found.add_argument("--budget", type=seconds, help="seconds of turns of a pair of processes (default: 0.7)")
    found.add_argument("--slots", type=count, help="pairs of processes at a time (default: one a core, at most 2)")
    found.add_argument("--timeout", type=seconds, help="seconds after which an answer is given up (default: 120)")
    found.add_argument("--out", type=Path, help="the folder that rows go to (default: below results/local/gate)")
    found.add_argument("--table", type=Path, help="a file that the table is added to")
    words = "exit with 0 where the gate is undecided, and say so; a regression stays 1, bad input 2"
    found.add_argument("--keep-going", action="store_true", help=words)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a gate and return its exit status: 1 for a regression alone, so a mistake of the gate's own is 2."""
    given = parser().parse_args(arguments)
    try:
        return guarded(
            lambda: run(given), "the rows so far are in the gate's folder; a gate that is started again begins anew."
        )
    except Exception:
        traceback.print_exc()
        return 2


def run(given: argparse.Namespace) -> int:
    """Measure, print the table and the folder with the rows."""
    from bench.gate.gate import PAIRS, TIMEOUT_S, Gate
    from bench.gate.report import table
    from bench.gate.sides import side
    from bench.gate.turns import BUDGET_S
    from bench.instruments import machine

    cells = chosen(given)
    if any(cell.device.startswith("cuda") for cell in cells):
        raise ValueError("The gate takes turns on a CPU core: leave cells on cuda out.")
    if given.pairs is not None and given.pairs < 2:
        raise ValueError("One pair of processes has no interval: give --pairs 2 or more.")
    if given.slots is not None and given.slots > len(machine.available_cores()):
        raise ValueError(f"A pair of processes needs a core for itself: give --slots {len(machine.available_cores())}.")
    if given.table and not given.table.resolve().parent.is_dir():
        raise ValueError(f"There is no folder for the table {given.table}: make it, or name another file.")
    with tempfile.TemporaryDirectory(prefix="gradratio-") as unpacked:
        base, head = (side(getattr(given, name), Path(unpacked) / name) for name in ("base", "head"))
        if base.digest == head.digest:
            same = f"commit {base.label}" if base.commit and base.commit == head.commit else "same impls"
            print(f"Both sides are the {same}: this is an A/A run, which tells of the machine.", file=sys.stderr)
        folder = given.out or Path("results/local/gate") / f"{base.label}-{head.label}"
        report = Gate(
            base,
            head,
            cells,
            folder=folder,
            pairs=given.pairs or PAIRS,
            slots=given.slots,
            timeout_s=given.timeout or TIMEOUT_S,
            budget_s=given.budget or BUDGET_S,
        ).report()
    text = table(report)
    print(text)
    if given.table:
        with given.table.open("a", encoding="utf-8") as file:
            file.write(text)
    print(f"rows: {folder}")
    if report.status == 2 and given.keep_going:
        print("The gate is undecided (2): told and not failed, as asked.")
        return 0
    return report.status


if __name__ == "__main__":
    sys.exit(main())
