"""What came of one attempt: the numbers agree, someone raised, or the numbers are wrong."""

from __future__ import annotations

import importlib.util
import linecache
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.failures import without_paths

YES, NO, REFUSED, WRONG = "yes", "no", "refused", "wrong"

LONGEST = 200
"""Characters of a reason; what a framework raises can fill a page."""


@dataclass(frozen=True)
class Outcome:
    """outcome: yes, no, refused or wrong. reason: the first line of the error, or the distance; empty for yes."""

    outcome: str
    reason: str = ""


Vector = Callable[[], np.ndarray]


def tried(attempt: Vector, right: Vector, most: float, *, beyond: str = WRONG) -> Outcome:
    """The outcome of ``attempt``, whose numbers must be the ``right`` ones, up to ``most`` of their length.

    Farther off they are ``beyond``. Numbers that are not finite deceive nobody: that is no. What ``right`` raises is no
    outcome, and is raised.
    """
    try:
        found = attempt()
    except Exception as error:
        return Outcome(REFUSED if _ours(error) else NO, _first_line(error))
    if not np.isfinite(found).all():
        return Outcome(NO, "Its numbers are not finite.")
    wanted = right()
    if found.shape != wanted.shape:
        return Outcome(WRONG, f"Its numbers have the shape {found.shape}, the right ones {wanted.shape}.")
    distance = float(np.linalg.norm(found - wanted)) / float(np.linalg.norm(wanted))  # not over zero: a useless trial
    return (
        Outcome(YES) if distance <= most else Outcome(beyond, f"Off by {distance:.1g} of the length of the right one.")
    )


def _ours(error: Exception) -> bool:
    """Whether a ``raise`` statement of ``impls`` made the error, and not a call there that failed in a framework."""
    trace = traceback.extract_tb(error.__traceback__)
    spec = importlib.util.find_spec("impls")
    if not trace or spec is None:
        return False
    folders = [Path(folder).resolve() for folder in spec.submodule_search_locations or ()]
    inside = any(folder in Path(trace[-1].filename).resolve().parents for folder in folders)
    return inside and linecache.getline(trace[-1].filename, trace[-1].lineno or 0).lstrip().startswith("raise ")


def _first_line(error: Exception) -> str:
    """The first line of an error without paths, or its kind where it has no words."""
    lines = without_paths(str(error)).strip().splitlines()
    text = lines[0].strip() if lines else type(error).__name__
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
