"""``python -m bench``: list, run and profile cells, run the papers' experiments, print files of pytest-benchmark."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.capabilities.command import add_flags as add_capabilities
from bench.capabilities.command import capabilities
from bench.experiments.command import add_flags, experiments
from bench.flags import count, guarded, seconds
from bench.peers.command import add_flags as add_peers
from bench.peers.command import peers
from bench.profile import add_flags as add_profile_flags
from bench.profile import profile
from bench.select import add_flags as add_cells
from bench.select import chosen, says_which


def parser() -> argparse.ArgumentParser:
    """The command line."""
    main = argparse.ArgumentParser(
        prog="python -m bench", description="Measure what gradients cost and how right they are."
    )
    commands = main.add_subparsers(dest="command", required=True)
    for name, words in (
        ("list", "print the cells that the flags mean, or all names there are"),
        ("run", "measure cells"),
    ):
        command = commands.add_parser(name, help=words, description=words)
        add_cells(command)
    compare = commands.add_parser("compare", help="print a table of files that `pytest bench/pytest_compare` wrote")
    compare.add_argument("files", nargs="+", type=Path, metavar="FILE")
    words = "run the papers' experiments"
    add_flags(commands.add_parser("experiments", help=words, description=words))
    words = "time our methods beside other libraries'"
    add_peers(commands.add_parser("peers", help=words, description=words))
    words = "try what each method can do, and write it down for the page"
    add_capabilities(commands.add_parser("capabilities", help=words, description=words))
    words = "say where the time of one cell's gradient call goes, beside its forward's"
    add_profile_flags(commands.add_parser("profile", help=words, description=words))
    run = commands.choices["run"]
    run.add_argument(
        "--workers",
        type=count,
        help="worker processes that visit each time cell (default: the preset's, else 8)",
    )
    run.add_argument("--slots", type=count, help="worker processes at a time (default: one a core, at most 2)")
    run.add_argument("--timeout", type=seconds, help="seconds after which a visit is given up")
    run.add_argument("--minutes", type=seconds, help="stop in time; the same command then goes on from there")
    run.add_argument("--budget", type=seconds, help="seconds of timed pairs in a visit")
    run.add_argument("--fresh", action="store_true", help="measure again what the file already has")
    run.add_argument("--out", type=Path, help="the file that rows are added to")
    run.add_argument(
        "--keep-going", action="store_true", help="exit with 0 though a cell came out otherwise than expected"
    )
    return main


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0, 1 where a cell came out otherwise than expected, 2 for bad
    input."""
    given = parser().parse_args(arguments)
    commands = {"list": listing, "run": run, "compare": comparison, "experiments": experiments}
    commands |= {"peers": peers, "profile": profile, "capabilities": capabilities}
    stopped = "finished rows are in the file, and the same command goes on from there."
    return guarded(lambda: commands[given.command](given), stopped)


def listing(given: argparse.Namespace) -> int:
    """Print the cells that the flags mean, or without flags all names there are."""
    if says_which(given) or given.set:
        for cell in chosen(given):
            print(f"{'+'.join(cell.measures):<11} {cell.id}")
        return 0
    from bench.cells import MODES
    from bench.presets import PRESETS
    from bench.select import Facts

    facts = Facts()
    print("presets")
    for name, preset in PRESETS.items():
        print(f"  {name:<17} {len(preset.cells)} cells, {preset.workers} workers")
    print("frameworks")
    for name, modes in MODES.items():
        print(f"  {name:<17} {', '.join(modes)}")
    print("problems")
    for name, kind in facts.kinds.items():
        sizes = " ".join(f"{size}={default}" for size, default in facts.sizes(name).items())
        print(f"  {name:<17} {kind}: {sizes}")
    print("methods")
    for name, row in facts.methods.items():
        print(f"  {name:<17} {row.interface}: {' '.join(row.options)}".rstrip(": "))
    return 0


def comparison(given: argparse.Namespace) -> int:
    """Print the table of a comparison's files."""
    from bench.pytest_compare.files import table

    print(table(given.files))
    return 0


def run(given: argparse.Namespace) -> int:
    """Measure, then print a table and the file that the rows are in."""
    from bench.cells import on_gpus
    from bench.expected import surprises
    from bench.instruments import machine, sources
    from bench.plan import unmade
    from bench.presets import PRESETS
    from bench.progress import Progress
    from bench.rows import ROOT, VerdictRow, append, last_run, location, read
    from bench.run import TIMEOUT_S, measure
    from bench.summary import newest, summarise, table

    if not says_which(given):
        raise ValueError(f"Nothing says which cells to run: give --preset {' or '.join(PRESETS)}, or --problem.")
    cells = on_gpus(chosen(given), range(len(machine.visible_gpus())))
    if not cells:
        print("There is no NVIDIA GPU here: nothing to measure.")
        return 0
    # A preset's file holds cells of the preset alone; other sizes and options go to a file of their own.
    name = given.preset if given.preset and not (given.set or given.cell) else "custom"
    path = given.out or location(name, *sources.git(ROOT))
    preset = PRESETS.get(given.preset or "")
    workers = given.workers or (preset.workers if preset else 8)
    rows = measure(
        cells,
        workers=workers,
        path=path,
        preset=name,
        slots=given.slots,
        timeout_s=given.timeout or TIMEOUT_S,
        stop_after_s=60 * given.minutes if given.minutes else None,
        pairs={"budget_s": given.budget} if given.budget else None,
        fresh=given.fresh,
        progress=Progress(),
    )
    for _ in rows:
        pass
    kept = read(path)
    summaries = summarise(kept, cells)
    print(table(summaries))
    told = surprises(cells, summaries)
    left = unmade(cells, workers, newest(kept))
    if not left:  # a run without a verdict is unfinished to whoever reads the file
        append(path, VerdictRow(run=last_run(kept).run, surprises=told))
    for one in told:
        print(f"surprise: expected {one.expected}, found {one.found}: {one.cell}: {one.why}")
    if left:
        print(f"{left} visits are not made yet: the same command goes on from here.")
    print(f"\nrows: {path}")
    if told and given.keep_going:
        print(f"{len(told)} of {len(summaries)} cells came out otherwise than expected; going on, as asked.")
    return 1 if told and not given.keep_going else 0


if __name__ == "__main__":
    sys.exit(main())
