"""What command lines share: numbers that must be sensible, and the exit status of a mistake."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable


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
