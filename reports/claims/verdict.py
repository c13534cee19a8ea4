"""What became of a claim: computed from its cases, never written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.claims.claim import Case, Claim
from reports.claims.cover import cover
from reports.papers import Papers
from reports.planned import NO_ROW, Failure

HOLDS, CONDITIONAL, FAILS, UNKNOWN = "holds", "holds under conditions", "does not hold here", "not measured"
VERDICTS = (HOLDS, CONDITIONAL, FAILS, UNKNOWN)

MOST_CASES = 6
"""Cases whose numbers stand in the table; of more, the least and the greatest."""

MOST_REASONS = 2


@dataclass(frozen=True)
class Judged:
    """A claim with what was measured. verdict: one of ``VERDICTS``; detail: under which conditions, or why not."""

    claim: Claim
    verdict: str
    detail: str
    measured: str
    cases: Sequence[Case]
    answers: Sequence[bool | None]
    """Of each case: does it obey the claim's rule? None where its interval cannot tell."""


def judge(claim: Claim, papers: Papers) -> Judged:
    """Ask the rows, apply the rule to each case, and say what came of it."""
    cases = claim.query(papers)
    answers = [claim.rule(case) for case in cases]
    verdict, detail = conclude(cases, answers)
    lost = [one for name in claim.experiments for one in papers.failed(name) if one.status != "n/a"]
    missing = [one for name in claim.experiments for one in papers.missing(name)]
    if cases and all(case.low == case.high for case in cases):
        missing = [one for one in missing if one.reason == NO_ROW]  # an exact number needs no second worker
    if not cases:
        detail = _why_nothing(claim, papers)
    elif lost:
        detail = f"{detail} Of {' and '.join(claim.experiments)} {_many(lost)} no numbers."
    if missing:
        # What was planned and is not there might have broken the claim.
        verdict = CONDITIONAL if verdict == HOLDS else verdict
        detail = f"{detail} {_incomplete(claim, missing)}"
    return Judged(claim, verdict, detail.strip(), measured(cases), cases, answers)


def conclude(cases: Sequence[Case], answers: Sequence[bool | None]) -> tuple[str, str]:
    """The verdict on answers, and where they differ: all true, some true, none true, none known."""
    true, false, open_ = (
        [case for case, answer in zip(cases, answers, strict=True) if answer is wanted]
        for wanted in (True, False, None)
    )
    if not cases:
        return UNKNOWN, ""
    if not true and not false:
        return UNKNOWN, "Measured, but undecided: intervals too wide to tell, or one sample, which has none."
    parts = [f"Holds for {cover(true, cases)}."] if true else []
    parts += [f"Not for {cover(false, cases)}."] if false and (true or open_) else []
    parts += [f"Undecided for {cover(open_, cases)}."] if open_ else []
    verdict = CONDITIONAL if true and len(true) < len(cases) else HOLDS if true else FAILS
    return verdict, " ".join(parts) if len(parts) > 1 else ""


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
