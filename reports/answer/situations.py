"""The situations that the answer tells apart, each with its rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import nextafter

import pandas as pd

from reports.answer import grid_cases, paper_cases
from reports.answer.candidate import Case
from reports.answer.common_time import Clock
from reports.answer.memory_cases import along
from reports.answer.rule import CRITICAL, USABLE, Rule
from reports.papers import Papers

SMALL, NEAR_ONE = 0.5, 0.95
"""γ up to the first is small, from the second on near one."""

BELOW_ONE = nextafter(1.0, 0.0)
"""The greatest γ that counts: with γ = 1 a step need not contract."""

COMMAND = "make report"
"""What measures every situation."""


@dataclass(frozen=True)
class Measured:
    """What cases are made of. frame: a row a cell; times: of each cell and worker; papers: the papers' experiments,
    where they ran on the same machine with the same versions."""

    frame: pd.DataFrame
    times: Clock
    papers: Papers | None = None


def _explicit(found: Measured) -> Sequence[Case]:
    return grid_cases.explicit(found.frame, found.times)


def _layers(found: Measured, low: float = 0.0, high: float = BELOW_ONE) -> Sequence[Case]:
    """The grid's cells; for a runner of which the grid compares no two exact methods the papers', where they do."""
    own = _by_runner(grid_cases.layers(found.frame, found.times, low, high))
    published = _by_runner(paper_cases.layers(found.papers, low, high))
    chosen: list[Case] = []
    for runner in dict.fromkeys([*own, *published]):
        both = own.get(runner, []), published.get(runner, [])
        chosen += next(some for fits in (_compares, _numbers, bool) for some in both if any(map(fits, some)))
    return chosen


def _by_runner(cases: Sequence[Case]) -> dict[str, list[Case]]:
    """The cases of each runner."""
    found: dict[str, list[Case]] = {}
    for case in cases:
        found.setdefault(case.runner, []).append(case)
    return found


def _compares(case: Case) -> bool:
    """Whether two exact methods were measured."""
    return len({one.label for one in case.candidates if one.exact}) > 1


def _numbers(case: Case) -> bool:
    return bool(case.candidates)


def _along(found: Measured, axis: str) -> Sequence[Case]:
    return along(found.frame, axis)


RULES = (
    Rule(
        "explicit",
        "Explicit deep net",
        "Of the methods with a gradient error of at most 0.01 the one with the least R, on the deepest network timed.",
        USABLE,
        COMMAND,
        _explicit,
    ),
    Rule(
        "contractive",
        f"Implicit layer, γ at most {SMALL:g}",
        "Of the settings with a gradient error of at most 0.01 the one that takes the least time, over all K measured "
        "at the greatest such γ.",
        USABLE,
        COMMAND,
        partial(_layers, high=SMALL),
        papers=True,
    ),
    Rule(
        "near-one",
        f"Implicit layer, γ at least {NEAR_ONE:g}",
        "Of the settings with a gradient error of at most 0.01 the one that takes the least time, over all K measured "
        "at the greatest γ below one.",
        USABLE,
        COMMAND,
        partial(_layers, low=NEAR_ONE),
        papers=True,
    ),
    Rule(
        "memory-depth",
        "Memory-bound, many layers",
        "Of the methods with a gradient error of at most 0.01 the one with the fewest peak bytes beyond the forward’s, "
        "at the greatest depth that all of them reach.",
        USABLE,
        COMMAND,
        partial(_along, axis="depth"),
    ),
    Rule(
        "memory-steps",
        "Memory-bound, many steps",
        "Of the methods with a gradient error of at most 0.01 the one with the fewest peak bytes beyond the forward’s, "
        "at the greatest K that all of them reach.",
        USABLE,
        COMMAND,
        partial(_along, axis="K"),
    ),
    Rule(
        "accuracy",
        "Accuracy-critical, implicit layer",
        "Of the settings with a gradient error of at most 0.0001 the one that takes the least time, over all K "
        "measured at the greatest γ below one.",
        CRITICAL,
        COMMAND,
        _layers,
        papers=True,
    ),
)
"""In the order of the table."""

HOW = (
    "A method is chosen by its rule from the cells of this page, for each framework apart. Two costs are told apart "
    "where their 95 % intervals do not overlap and Welch’s t-test, corrected by Holm’s method for all pairs of "
    "settings within the error, has p below 0.05. Of the settings whose cost is not told from the least one is "
    "named in the place of another where it has less error or fewer peak bytes, and no more of the other; those "
    "that nothing beats so are all named. Errors that are rounding are all one. Where forward solves have one "
    "length the cost is R. Where they differ it is time in forwards of the longest; it is R for the settings of "
    "that length, and no R for the others. A cell whose R lies below 1 takes no part: its forward is no unit. Bytes "
    "are exact. Of timed cells those in float32 come before others. Where a single method was measured, or the "
    "least cost has no interval, nothing is decided. The papers’ experiments are asked only where the grid does not "
    "compare two exact methods on such a layer, and only if they ran on the same machine with the same versions. "
    "Forward gradients are never chosen: theirs is the error of a random draw. Where they alone stand beside "
    "backprop it is named, as the only exact method measured, and nothing was compared. Only what was measured can "
    "be named: another option may cost less."
)
"""What all rules share."""
