"""Flags that the command lines share: which cells are meant, and numbers that must be sensible."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from bench.cell import Cell

NAMES = ("framework", "mode", "device", "problem", "method", "gradient")
"""Kinds of names that choose cells."""


def add_cells(command: argparse.ArgumentParser, preset: str | None = None) -> None:
    """Flags that choose cells, with ``preset`` as the one that is meant where none is named."""
    words = "a named list of cells, such as smoke or quick; the names below filter it"
    command.add_argument("--preset", default=preset, help=words + (f" (default: {preset})" if preset else ""))
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


def chosen(given: argparse.Namespace) -> tuple[Cell, ...]:
    """The cells that the flags mean."""
    from bench.selection import select

    names = {kind: [name for text in getattr(given, kind) for name in text.split(",") if name] for kind in NAMES}
    settings = [text for many in given.set for text in many.split(",") if text]
    return select(given.preset, **names, settings=settings)


def says_which(given: argparse.Namespace) -> bool:
    """Whether any flag chooses cells."""
    return bool(given.preset or any(getattr(given, kind) for kind in NAMES))


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


def guarded(command: Callable[[], int], stopped: str) -> int:
    """The exit status of a command: its own, 2 with one sentence for bad input, 130 where it was ``stopped``."""
    try:
        return command()
    except (ValueError, LookupError, RuntimeError, OSError, ImportError) as error:
        print(f"error: {_sentence(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\nstopped: {stopped}", file=sys.stderr)
        return 130


def _sentence(error: Exception) -> str:
    """One line that says what to do."""
    if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] == "impls":
        return "The package impls is not installed here: run `pip install -e .` in the project's folder."
    return " ".join(str(error).split())
