"""How one method is chosen among those measured: a limit on the error, a cost, and what counts as a tie."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import isnan

import numpy as np
import pandas as pd

from reports.answer.candidate import BYTES, Candidate, Case, comparable
from reports.numbers import sig
from reports.ranking import ranked

USABLE, CRITICAL = 1e-2, 1e-4
"""Gradient errors up to these are usable, and good enough where accuracy is critical in float32."""

NOTHING = "no method but forward gradients has both a cost and a gradient error"
NO_UNIT = "R of all that was measured lies below 1, so that their forwards are no unit"

MOST_NAMED = 3
"""Candidates of a tie that are named; the others are counted."""


@dataclass(frozen=True)
class Rule:
    """One situation and how it is decided. title: its words; words: the rule, as a sentence; most_error: largest
    gradient error that is allowed; command: what would measure it; papers: whether the papers' experiments may stand in
    for the grid."""

    name: str
    title: str
    words: str
    most_error: float
    command: str
    cases: Callable[..., Sequence[Case]] = field(repr=False)
    papers: bool = False

    @property
    def heading(self) -> tuple[str, str]:
        """The title in two lines: what comes before its comma, and after."""
        head, _, rest = self.title.partition(", ")
        return head, rest


@dataclass(frozen=True)
class Decision:
    """What came of a case. winners: one, or several between which the data do not choose, the least costly first; none
    where nothing was decided. why: the reason for none, what joins several, or that one had no rival; a clause."""

    case: Case
    winners: tuple[Candidate, ...]
    why: str = ""

    unsure: bool = False
    """Whether nothing was decided because the least cost has no interval."""

    dominated: tuple[tuple[Candidate, Candidate], ...] = ()
    """Of each setting that costs the same as the least and is not named: it, then the one that is better otherwise."""

    @property
    def methods(self) -> tuple[str, ...]:
        """The names of the methods that were chosen, each once, in alphabetical order."""
        return tuple(sorted({one.label for one in self.winners}))

    @property
    def named(self) -> str:
        """The winners with their options: ``X or Y``."""
        names = [one.name for one in self.winners]
        more = f" or {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        return " or ".join(names[:MOST_NAMED]) + more

    @property
    def lone(self) -> str:
        """A remark where only forward gradients, which are never chosen, stand beside backprop; else empty."""
        drawn = any(one.random for one in self.case.candidates)
        alone = all(one.random or str(one.row["method"]) == "backprop" for one in self.case.candidates)
        return "the only exact method measured" if self.winners and drawn and alone else ""


def decide(case: Case, most_error: float) -> Decision:
    """The least costly candidate whose gradient error is at most ``most_error``, with all that it is not told from and
    that nothing beats otherwise; see ``reports.ranking.ranked``.

    Of settings that cost the same one with less error, or fewer peak bytes, and no more of the other is named in the
    place of the rest. A cost without an interval, from one worker, is told from nothing. An exact cost (bytes) is its
    own interval. Nothing is decided where a single method was measured. A forward gradient is never chosen: its error
    is that of one random draw, and a small one is luck. Nor is a cell whose R lies below 1: its forward is no unit.
    """
    every = [one for one in case.candidates if comparable(one) and not one.random]
    known = [one for one in every if not case.unfit(one)]
    if len(case.methods) < 2:
        return Decision(case, (), f"only {case.methods[0]} was measured" if case.methods else "nothing was measured")
    if not known:
        return Decision(case, (), NO_UNIT if every else NOTHING)
    allowed = sorted((one for one in known if one.error <= most_error), key=lambda one: one.cost.value)
    if not allowed:
        least = min(known, key=lambda one: one.error)
        error = f"no setting measured has a gradient error of at most {most_error:g}"
        return Decision(case, (), f"{error}: the least is {sig(least.error)}, of {least.name}")
    if len(allowed) == 1:
        return Decision(case, (allowed[0],), _only_one(case, known, allowed[0], most_error))
    best, *rivals = allowed
    if rivals and isnan(best.cost.low):
        return Decision(case, (), f"{best.name} has the least cost, but one worker gives no interval", unsure=True)
    found = ranked(_frame(allowed))
    winners = tuple(allowed[place] for place in found.index[found["named"]])
    beaten = found.loc[found["dominated_by"].notna(), "dominated_by"]
    dominated = tuple((allowed[loser], allowed[by]) for loser, by in beaten.items())
    return Decision(case, winners, _joined(case, winners), dominated=dominated)


def _frame(allowed: Sequence[Candidate]) -> pd.DataFrame:
    """What the ranking reads. Errors that are rounding of the dtype are all one."""
    columns = ["cost", "low", "high", "samples", "error", "memory"]
    return pd.DataFrame([(*one.cost[:4], max(one.error, _rounding(one)), one.peak) for one in allowed], columns=columns)


def _rounding(one: Candidate) -> float:
    """The relative error below which a gradient is right up to rounding: eight units in the last place."""
    return 8 * float(np.finfo(np.float64 if one.row.get("dtype") == "float64" else np.float32).eps)


def _only_one(case: Case, known: Sequence[Candidate], only: Candidate, most_error: float) -> str:
    """That one candidate has no rival, and which comes next."""
    missed = [one for one in known if one is not only]
    if not missed:
        others = all(one.random for one in case.candidates if one is not only)
        alone = "only forward gradients were measured beside it"
        return alone if others else "nothing else has both a cost and a gradient error"
    after = min(missed, key=lambda one: one.error)
    few = f"of {len(known)} settings measured, only this one has an error of at most {most_error:g}"
    return f"{few}; next comes {after.name} with {sig(after.error)}"


def _joined(case: Case, winners: Sequence[Candidate]) -> str:
    """Why several are named together."""
    if len(winners) < 2:
        return ""
    unknown = [one for one in winners if isnan(one.cost.low)]
    if unknown:
        return f"{' and '.join(one.name for one in unknown[:MOST_NAMED])}: one worker, no interval"
    same = "they take the same bytes" if case.unit == BYTES else "their costs are not told apart"
    return f"{same}, and none has less error or less memory without more of the other"
