"""How one method is chosen among those measured: a limit on the error, a cost, and what counts as a tie."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import isnan

from reports.answer.candidate import BYTES, Candidate, Case, comparable
from reports.numbers import sig

USABLE, CRITICAL = 1e-2, 1e-4
"""Gradient errors up to these are usable, and good enough where accuracy is critical in float32."""

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
    """What came of a case. winners: one, or several that the data do not tell apart, the least costly first; none where
    nothing was decided. why: the reason for none, what joins several, or that one had no rival; a clause."""

    case: Case
    winners: tuple[Candidate, ...]
    why: str = ""

    unsure: bool = False
    """Whether nothing was decided because the least cost has no interval."""

    apart: tuple[tuple[Candidate, Candidate], ...] = ()
    """Of each setting that R alone rules out, its cost not being told from the least: what R tells it from, then it."""

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
    """The least costly candidate whose gradient error is at most ``most_error``, with all that it is not told from.

    Two are told apart where their 95 % intervals do not overlap. A cost without an interval, from one worker, is told
    from nothing. An exact cost (bytes) is its own interval. Nothing is decided where a single method was measured. A
    forward gradient is never chosen: its error is that of one random draw, and a small one is luck.
    """
    known = [one for one in case.candidates if comparable(one) and not one.random]
    if len(case.methods) < 2:
        return Decision(case, (), f"only {case.methods[0]} was measured" if case.methods else "nothing was measured")
    if not known:
        return Decision(case, (), "no method but forward gradients has both a cost and a gradient error")
    allowed = sorted((one for one in known if one.error <= most_error), key=lambda one: one.cost.value)
    if not allowed:
        least = min(known, key=lambda one: one.error)
        error = f"no setting measured has a gradient error of at most {most_error:g}"
        return Decision(case, (), f"{error}: the least is {sig(least.error)}, of {least.name}")
    if len(allowed) == 1:
        return Decision(case, (allowed[0],), _alone(case, known, allowed[0], most_error))
    beaten = _beaten(case, allowed)
    best, *rivals = [one for one in allowed if not any(one is loser for _, loser in beaten)]
    if rivals and isnan(best.cost.low):
        return Decision(case, (), f"{best.name} has the least cost, but one worker gives no interval", unsure=True)
    unknown = [one for one in rivals if isnan(one.cost.low)]
    ties = [one for one in rivals if isnan(one.cost.low) or one.cost.low <= best.cost.high]
    apart = tuple(pair for pair in beaten if not pair[1].cost.low > best.cost.high)
    return Decision(case, (best, *ties), _joined(case, ties, unknown), apart=apart)


def _alone(case: Case, known: Sequence[Candidate], only: Candidate, most_error: float) -> str:
    """That one candidate has no rival, and which comes next."""
    missed = [one for one in known if one is not only]
    if not missed:
        others = all(one.random for one in case.candidates if one is not only)
        alone = "only forward gradients were measured beside it"
        return alone if others else "nothing else has both a cost and a gradient error"
    after = min(missed, key=lambda one: one.error)
    few = f"of {len(known)} settings measured, only this one has an error of at most {most_error:g}"
    return f"{few}; next comes {after.name} with {sig(after.error)}"


def _beaten(case: Case, allowed: list[Candidate]) -> list[tuple[Candidate, Candidate]]:
    """What R tells apart: of each setting that costs more than others with the same forward solve, the one of those
    whose interval ends first, which stays, then it. The pairs of R cancel noise that a time in forwards of another cell
    has. Nothing where the cost is R itself, or bytes."""
    if isnan(case.longest):
        return []
    found = []
    for one in allowed:
        better = [other for other in allowed if other.K == one.K and other.ratio.high < one.ratio.low]
        if better:
            found.append((min(better, key=lambda other: other.ratio.high), one))
    return found


def _joined(case: Case, ties: Sequence[Candidate], unknown: Sequence[Candidate]) -> str:
    """Why several are named together."""
    if not ties:
        return ""
    if unknown:
        return f"{' and '.join(one.name for one in unknown[:MOST_NAMED])}: one worker, no interval"
    return "they take the same bytes" if case.unit == BYTES else "their intervals overlap"
