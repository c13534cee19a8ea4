"""What became of a claim: computed from its cases, never written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from reports.claims.claim import Case, Claim, said
from reports.claims.cover import cover
from reports.claims.scope import Scope, union
from reports.load import NO_ROW, Failure
from reports.papers import Papers

HOLDS, PARTLY, FAILS = "holds", "holds in m of n", "does not hold here"
UNDECIDED, UNKNOWN = "undecided", "not measured"
VERDICTS = (HOLDS, PARTLY, FAILS, UNDECIDED, UNKNOWN)
"""Of the cases that are decided all obey the claim; some do; none does; none is decided; there is none."""

MOST_CASES = 6
"""Cases whose numbers stand in the table; of more, the least and the greatest."""

MOST_REASONS = 2

Answers = Sequence[bool | None]
"""Of each case: does it obey the claim's rule? None where its interval cannot tell."""


@dataclass(frozen=True)
class Judged:
    """A claim with what was measured. verdict: one of ``VERDICTS``; detail: for which cases, or why not."""

    claim: Claim
    verdict: str
    detail: str
    measured: str
    cases: Sequence[Case]
    answers: Answers
    obeying: tuple[int, int] = (0, 0)
    """Of the cases that decide: how many obey, and how many are decided."""
    tally: str = ""
    """How many cases obey, are undecided and fail, as a sentence; then the same of those that the claim names."""
    scope: Scope = field(default_factory=Scope)
    """What the verdict rests on."""

    @property
    def words(self) -> str:
        """The verdict with its numbers: ``holds in 3 of 8``; of a plan whose rows are not all there, ``so far``."""
        yes, decided = self.obeying
        return f"holds in {yes} of {decided}{' so far' * (yes == decided)}" if self.verdict == PARTLY else self.verdict

    @property
    def said(self) -> str:
        """The verdict with its scope: ``holds, on 8×8 digits (jax, 5 seeds)``."""
        scope = self.scope.text
        return f"{self.words}{',' if scope.startswith('on ') else ''} {scope}" if scope else self.words

    @property
    def why(self) -> str:
        """Tally and detail."""
        return " ".join(filter(None, (self.tally, self.detail)))


def judge(claim: Claim, papers: Papers) -> Judged:
    """Ask the rows, apply the rule to each case, and say what came of it."""
    cases = claim.query(papers)
    answers = [None if case.doubt else claim.rule(case) for case in cases]
    deciding = [place for place, case in enumerate(cases) if _named(claim, case)]
    verdict, obeying = conclude([answers[place] for place in deciding])
    lost = [one for name in claim.experiments for one in papers.failed(name) if one.status != "n/a"]
    missing = [one for name in claim.experiments for one in papers.missing(name)]
    if cases and all(case.low == case.high for case in cases):
        missing = [one for one in missing if one.reason == NO_ROW]  # an exact number needs no second worker
    detail = _detail(cases, answers) if cases else _why_nothing(claim, papers)
    if cases and lost:
        detail = f"{detail} Of {' and '.join(claim.experiments)} {_many(lost)} no numbers."
    if missing:
        # What was planned and is not there might have broken the claim.
        verdict = PARTLY if verdict == HOLDS else verdict
        detail = f"{detail} {_incomplete(claim, missing)}"
    scope = union(cases[place].scope for place in _resting(answers, deciding))
    tally = _tally(claim, cases, answers, deciding) if cases else ""
    return Judged(claim, verdict, detail.strip(), measured(cases), cases, answers, obeying, tally, scope)


def conclude(answers: Answers) -> tuple[str, tuple[int, int]]:
    """The verdict on the answers of the cases that decide; how many of them are yes, and how many are decided."""
    yes, no = sum(one is True for one in answers), sum(one is False for one in answers)
    if not answers:
        return UNKNOWN, (0, 0)
    if not yes + no:
        return UNDECIDED, (0, 0)
    return (HOLDS if not no else PARTLY if yes else FAILS), (yes, yes + no)


def counted(answers: Answers) -> str:
    """``holds in 1 of 12 cases, undecided in 3, fails in 8``; what is none is left out."""
    counts = [("holds", True), ("undecided", None), ("fails", False)]
    told = [(words, sum(one is wanted for one in answers)) for words, wanted in counts]
    (words, first), *more = [(words, count) for words, count in told if count]
    start = f"{words} in {first} of {len(answers)} case{'s' if len(answers) > 1 else ''}"
    return ", ".join([start, *(f"{words} in {count}" for words, count in more)])


def _named(claim: Claim, case: Case) -> bool:
    return claim.names.items() <= case.conditions.items()


def _resting(answers: Answers, deciding: Sequence[int]) -> list[int]:
    """The cases that a verdict rests on: of those that decide the decided ones; all, where none is."""
    return [place for place in deciding if answers[place] is not None] or list(deciding)


def _tally(claim: Claim, cases: Sequence[Case], answers: Answers, deciding: Sequence[int]) -> str:
    told = counted(answers)
    if claim.names and len(deciding) < len(cases):
        names = ", ".join(said(*one) for one in claim.names.items())
        own = counted([answers[place] for place in deciding]) if deciding else "not measured"
        told += f" (with {names}, which the claim names and which decide, {own})"
    return f"{told[:1].upper()}{told[1:]}."


def _detail(cases: Sequence[Case], answers: Answers) -> str:
    """Where the answers differ, or why none is known."""
    parts = []
    if len(set(answers)) > 1:
        for words, wanted in (("Holds", True), ("Not", False), ("Undecided", None)):
            some = [case for case, answer in zip(cases, answers, strict=True) if answer is wanted]
            parts += [f"{words} for {cover(some, cases)}."] if some else []
    doubtful = [case for case in cases if case.doubt]
    if answers[0] is None and len(set(answers)) == 1 and len(doubtful) < len(cases):
        parts.append("Intervals are too wide to tell, or of one sample, which has none.")
    parts += [f"Left undecided, since R below 1 is no unit: {cover(doubtful, cases)}."] if doubtful else []
    return " ".join(parts)


def measured(cases: Sequence[Case]) -> str:
    """The numbers with their intervals, in the order of the cases; of many the least and the greatest."""
    if len(cases) <= MOST_CASES:
        return "; ".join(f"{case.name}: {case.measured}" if case.name else case.measured for case in cases)
    known = [case for case in cases if case.value == case.value]
    if not known:
        return f"{len(cases)} cases without a number"
    least, most = min(known, key=lambda case: case.value), max(known, key=lambda case: case.value)
    return f"{least.measured} ({least.name}) to {most.measured} ({most.name}), {len(cases)} cases"


def _why_nothing(claim: Claim, papers: Papers) -> str:
    """Why a claim has no case."""
    names = " and ".join(claim.experiments)
    if not any(name in papers.experiments for name in claim.experiments):
        return f"Not run: {names}."
    lost = [failure for name in claim.experiments for failure in papers.failed(name)]
    if not lost and any(papers.missing(name) for name in claim.experiments):
        return ""
    if not lost:
        return f"Without the rows that the claim needs: {names}."
    return f"Of {names} {_reasons(lost)}."


def _reasons(lost: Sequence[Failure]) -> str:
    """How many failed, and the first reasons."""
    first = list(dict.fromkeys(f"{one.status}, {one.reason.rstrip('.')}" for one in lost))
    more = f", and {len(first) - MOST_REASONS} more reasons" if len(first) > MOST_REASONS else ""
    return f"{_many(lost)} no numbers ({'; '.join(first[:MOST_REASONS])}{more})"


def _many(lost: Sequence[Failure]) -> str:
    return "1 cell or part has" if len(lost) == 1 else f"{len(lost)} cells or parts have"


def _incomplete(claim: Claim, missing: Sequence[Failure]) -> str:
    """How much of the plan of a claim's experiments is not there."""
    return f"Unfinished: of {' and '.join(claim.experiments)} {unfinished(missing)}."


def unfinished(missing: Sequence[Failure]) -> str:
    """How many planned cells or parts have no row, and how many fewer than planned."""
    none = sum(one.reason == NO_ROW for one in missing)
    counts = [(none, "without a row"), (len(missing) - none, "by fewer workers than planned")]
    first, *more = [(count, words) for count, words in counts if count]
    told = f"{first[0]} planned {'cell or part' if first[0] == 1 else 'cells or parts'} {first[1]}"
    return ", ".join([told, *(f"{count} {words}" for count, words in more)])
