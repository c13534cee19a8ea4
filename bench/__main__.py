"""``python -m bench``: list cells, run one of them or many, or compare what ``pytest bench/compare`` wrote."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

NAMES = ("framework", "mode", "device", "problem", "method", "gradient")
"""Kinds of names that choose cells."""


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
        command.add_argument(
            "--preset", help="a named list of cells, such as smoke or quick; the names below filter it"
        )
        for kind in NAMES:
            command.add_argument(
                f"--{kind}", action="append", default=[], metavar="NAME", help="repeatable or comma separated"
            )
        command.add_argument(
            "--set",
            action="extend",
            nargs="+",
            default=[],
            metavar="NAME=VALUE",
            help="sizes and options, such as width=2048 K=100",
        )
    compare = commands.add_parser("compare", help="print a table of files that `pytest bench/compare` wrote")
    compare.add_argument("files", nargs="+", type=Path, metavar="FILE")
    run = commands.choices["run"]
    run.add_argument(
        "--workers",
        type=_count,
        help="worker processes that visit each time cell (default: the preset's, else 8)",
    )
    run.add_argument("--slots", type=_count, help="worker processes at a time (default: one a core, at most 2)")
    run.add_argument("--timeout", type=_seconds, help="seconds after which a visit is given up")
    run.add_argument("--minutes", type=_seconds, help="stop in time; the same command then goes on from there")
    run.add_argument("--budget", type=_seconds, help="seconds of timed pairs in a visit")
    run.add_argument("--fresh", action="store_true", help="measure again what the file already has")
    run.add_argument("--out", type=Path, help="the file that rows are added to")
    run.add_argument(
        "--keep-going", action="store_true", help="exit with 0 though a cell came out otherwise than expected"
    )
    return main


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return seconds


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0, 1 where a cell came out otherwise than expected, 2 for bad
    input."""
    given = parser().parse_args(arguments)
    try:
        return {"list": listing, "run": run, "compare": comparison}[given.command](given)
    except (ValueError, LookupError, RuntimeError, OSError, ImportError) as error:
        print(f"error: {_sentence(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            "\nstopped: finished rows are in the file, and the same command goes on from there.",
            file=sys.stderr,
        )
        return 130


def _sentence(error: Exception) -> str:
    """One line that says what to do."""
    if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] == "impls":
        return "The package impls is not installed here: run `pip install -e .` in the project's folder."
    return " ".join(str(error).split())


def _chosen(given: argparse.Namespace):  # type: ignore[no-untyped-def]
    """The cells that the flags mean."""
    from bench.selection import select

    names = {kind: [name for text in getattr(given, kind) for name in text.split(",") if name] for kind in NAMES}
    settings = [text for many in given.set for text in many.split(",") if text]
    return select(given.preset, **names, settings=settings)


def _says_which(given: argparse.Namespace) -> bool:
    return bool(given.preset or any(getattr(given, kind) for kind in NAMES))


def listing(given: argparse.Namespace) -> int:
    """Print the cells that the flags mean, or without flags all names there are."""
    if _says_which(given) or given.set:
        for cell in _chosen(given):
            print(f"{'+'.join(cell.measures):<11} {cell.id}")
        return 0
    from bench.facts import Facts
    from bench.grid import MODES, PRESETS

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
    from bench.compared import table

    print(table(given.files))
    return 0


def run(given: argparse.Namespace) -> int:
    """Measure, then print a table and the file that the rows are in."""
    from bench import store
    from bench.expected import surprises
    from bench.grid import PRESETS, on_gpus
    from bench.instruments import gpu, machine
    from bench.measure import TIMEOUT_S, measure
    from bench.plan import unmade
    from bench.progress import Progress
    from bench.rows import ROOT, verdict_row
    from bench.summary import newest, summarise, table

    if not _says_which(given):
        raise ValueError(f"Nothing says which cells to run: give --preset {' or '.join(PRESETS)}, or --problem.")
    cells = on_gpus(_chosen(given), range(len(gpu.visible())))
    if not cells:
        print("There is no NVIDIA GPU here: nothing to measure.")
        return 0
    # A preset's file holds cells of the preset alone; other sizes and options go to a file of their own.
    name = given.preset if given.preset and not given.set else "custom"
    path = given.out or store.location(name, *machine.git(ROOT))
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
    notes: list[str] = []
    kept = store.read(path, notes)
    for note in notes:
        print(note, file=sys.stderr)
    summaries = summarise(kept, cells)
    print(table(summaries))
    told = surprises(cells, summaries)
    store.append(path, verdict_row([row["run"] for row in kept if row["kind"] == "run"][-1], told))
    for one in told:
        print(f"surprise: expected {one['expected']}, found {one['found']}: {one['cell']}: {one['why']}")
    left = unmade(cells, workers, newest(kept))
    if left:
        print(f"{left} visits are not made yet: the same command goes on from here.")
    print(f"\nrows: {path}")
    if told and given.keep_going:
        print(f"{len(told)} of {len(summaries)} cells came out otherwise than expected; going on, as asked.")
    return 1 if told and not given.keep_going else 0


if __name__ == "__main__":
    sys.exit(main())
