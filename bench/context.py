"""What commands share: their flags and their ends, and a run of worker processes from the one to the other."""

from __future__ import annotations

import argparse
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from bench.cells import Cell
from bench.plan import Part
from bench.rows import ROOT, PartRow, Row, RunRow, VerdictRow, Visited, append, read, same
from bench.summary import Summary, last_run, summarise


class Context:
    """What one command measures with worker processes, from its flags to its exit status.

    Args:
        given: its flags; those of ``FLAGS`` that it has say how it measures.
        name: of the preset in the rows, and of the file that they go to unless ``--out`` says another.
        workers: processes that time each cell.
        timeout_s: seconds after which a visit or part is given up, unless ``--timeout`` says other.
        path: the file instead of ``name``'s.
    """

    def __init__(
        self,
        given: argparse.Namespace,
        name: str,
        *,
        workers: int,
        timeout_s: float | None = None,
        path: Path | None = None,
    ) -> None:
        self._flags = {key: getattr(given, key, None) for key in FLAGS}
        self.name, self.workers = name, workers
        self._timeout_s = self._flags["timeout"] or timeout_s
        self.path: Path = self._flags["out"] or path or location(name)
        self.cells: tuple[Cell, ...] = ()
        self.parts: tuple[Part, ...] = ()

    def measure(
        self,
        cells: Iterable[Cell] = (),
        parts: Iterable[Part] = (),
        each: Callable[[Visited], None] = lambda row: None,
        **more: Any,
    ) -> None:
        """Make what the file does not have yet, and hand each row to ``each`` as it comes."""
        from bench.progress import Progress
        from bench.run import TIMEOUT_S, measure

        self.cells, self.parts = tuple(cells), tuple(parts)
        minutes, budget_s = self._flags["minutes"], self._flags["budget"]
        rows = measure(
            self.cells,
            parts=self.parts,
            workers=self.workers,
            path=self.path,
            preset=self.name,
            slots=self._flags["slots"],
            timeout_s=self._timeout_s or TIMEOUT_S,
            stop_after_s=60 * minutes if minutes else None,
            pairs={"budget_s": budget_s} if budget_s else None,
            fresh=bool(self._flags["fresh"]),
            progress=Progress(),
            **more,
        )
        for row in rows:
            each(row)

    @cached_property
    def rows(self) -> list[Row]:
        """All rows of the file, once they are made."""
        return read(self.path)

    @cached_property
    def made(self) -> list[Visited]:
        """Visits and parts that belong with the newest run: same sources, versions, machine and instruments."""
        return same(self.rows, self._run)

    @cached_property
    def summaries(self) -> list[Summary]:
        """One summary a cell."""
        return summarise(self.rows, self.cells)

    @property
    def performed(self) -> list[PartRow]:
        """The newest row of each part that has one, in the order of the parts."""
        newest = {(row.cell, row.worker): row for row in self.made if isinstance(row, PartRow)}
        return [newest[part.id, part.worker] for part in self.parts if (part.id, part.worker) in newest]

    def end(self) -> int:
        """Say what came out otherwise than expected, what failed, what is left and where the rows are.

        A run that made all of its cells gets its verdict here; one without is unfinished to whoever reads the file.

        Returns:
            1 where a cell came out otherwise than expected, unless ``--keep-going``, or a part failed; else 0.
        """
        from bench.expected import surprises

        told, left = surprises(self.cells, self.summaries), self._left()
        if self.cells and not left:
            append(self.path, VerdictRow(run=self._run.run, surprises=told))
        for one in told:
            print(f"surprise: expected {one.expected}, found {one.found}: {one.cell}: {one.why}")
        failed = [row for row in self.performed if row.status != "ok"]
        for row in failed:
            print(f"{row.status}: {row.cell}: {row.reason}")
        if left:
            what = " and ".join([*(["visits"] if self.cells else []), *(["parts"] if self.parts else [])])
            print(f"{left} {what} are not made yet: the same command goes on from here.")
        print(f"\nrows: {self.path}")
        if told and self._flags["keep_going"]:
            words = f"{len(told)} of {len(self.summaries)} cells came out otherwise than expected"
            print(f"{words}; going on, as asked.")
            told = []
        return 1 if told or any(row.status != "n/a" for row in failed) else 0

    @property
    def _run(self) -> RunRow:
        """The newest run of the file."""
        return last_run(self.rows)

    def _left(self) -> int:
        """How many visits and parts of the plan have no row, whatever came of them."""
        from bench.plan import errands, tours

        made = {row.key for row in self.made}
        return sum(map(len, tours(self.cells, self.workers, made) + errands(self.parts, made)))


def location(name: str) -> Path:
    """The file for rows of the sources as they are, see ``location_of``."""
    from bench.instruments import sources

    return location_of(name, *sources.git(ROOT))


def location_of(name: str, commit: str | None, dirty: bool, root: Path = Path("results")) -> Path:
    """Where rows of a preset go: under their commit, or under ``local`` when they belong to none."""
    return root / ("local" if dirty or commit is None else commit[:12]) / f"{name}.jsonl"


def slots() -> int:
    """Worker processes at a time where no flag says how many."""
    from bench.instruments import machine

    return min(2, len(machine.available_cores()))


def require_memory(needed: int, available: int, what: str, hint: str = "") -> None:
    """Refuse what one worker process would hold more of than it may."""
    if needed > available:
        raise ValueError(
            f"{what} needs {needed / 1e9:.1f} GB in one worker process and this machine has "
            f"{available / 1e9:.1f} GB for it{hint}."
        )


def renamed(old: str, new: str) -> None:
    """Say that something that goes on has another name now."""
    print(f"{old} is {new} now.", file=sys.stderr)


def guarded(command: Callable[[], int], stopped: str) -> int:
    """The exit status of a command: its own, 2 with one sentence for bad input, 130 where it was ``stopped``. A mistake
    of the program's own is 2 too, with a traceback: 1 is a result."""
    try:
        return command()
    except (ValueError, LookupError, RuntimeError, OSError, ImportError) as error:
        print(f"error: {_sentence(error)}", file=sys.stderr)
    except KeyboardInterrupt:
        print(f"\nstopped: {stopped}", file=sys.stderr)
        return 130
    except Exception:
        traceback.print_exc()
    return 2


def count(text: str) -> int:
    """A whole number of at least 1."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def seconds(text: str) -> float:
    """A number of seconds above 0."""
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 < found < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return found


def called(command: Sequence[str], **options: Any) -> int:
    """The exit status of a program. Ctrl-C reaches it too: it is left to end what it has started."""
    with subprocess.Popen(command, **options) as process:
        try:
            status = process.wait()
        except KeyboardInterrupt:
            process.wait()
            raise
    if status == 130:
        raise KeyboardInterrupt
    return status


FLAGS: Mapping[str, Mapping[str, Any]] = {
    "workers": {"type": count, "help": "worker processes that time each cell (default: the preset's, else 8)"},
    "slots": {"type": count, "help": "worker processes at a time (default: one a core, at most 2)"},
    "timeout": {"type": seconds, "help": "seconds after which a visit or part is given up"},
    "minutes": {"type": seconds, "help": "stop in time; the same command then goes on from there"},
    "budget": {"type": seconds, "help": "seconds of timed pairs in a visit"},
    "fresh": {"action": "store_true", "help": "measure again what the file already has"},
    "out": {"type": Path, "help": "the file that rows are added to"},
    "keep_going": {"action": "store_true", "help": "exit with 0 though a cell came out otherwise than expected"},
}
"""Flags of a ``Context``."""


def add_flags(command: argparse.ArgumentParser, *names: str, **defaults: Any) -> None:
    """Some of ``FLAGS``, with defaults where they have any."""
    for name in names:
        flag = dict(FLAGS[name])
        if name in defaults:
            words = flag["help"].partition(" (default")[0]
            flag |= {"default": defaults[name], "help": f"{words} (default: {defaults[name]})"}
        command.add_argument(f"--{name.replace('_', '-')}", **flag)


def _sentence(error: Exception) -> str:
    """One line that says what to do."""
    if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] == "impls":
        return "The package impls is not installed here: run `pip install -e .` in the project's folder."
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename} cannot be read or written ({error.strerror}): check the path, or name another."
    return " ".join(str(error).split())
