"""The section on the papers' experiments: claims with their cases, figures, failures, and every table as CSV."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import pandas as pd

from bench.rows import RunRow
from reports.claims import Judged, judged
from reports.claims.verdict import FAILS, HOLDS, PARTLY, UNDECIDED, UNKNOWN, unfinished
from reports.conditions import below_one
from reports.draw import Drawing
from reports.facts import facts
from reports.frame import plain
from reports.load import unfinished as cut_short
from reports.paper_figures import figures
from reports.papers import Failure, Papers

MARKS = {HOLDS: "✔", PARTLY: "◐", FAILS: "✘", UNDECIDED: "?", UNKNOWN: "–"}
"""A sign beside each verdict, so that none is told by colour alone."""

RULES = (
    "A case obeys only where its whole 95 % interval does; an interval that reaches over the limit is undecided. Of "
    f"the decided cases all obey: “{HOLDS}”; some do: “{PARTLY}”, with which; none does: “{FAILS}”. Without a decided "
    f"case a claim is “{UNDECIDED}”, without any case “{UNKNOWN}”. Where a claim names a case, such as the tangents of "
    "a published algorithm, that case decides. Beside each verdict stands what it rests on: data and problems, "
    "frameworks, sizes, seeds, workers (processes), and how many solves missed their tolerance."
)
"""How verdicts come about, wherever they are shown."""

ANSWERS = {True: "yes", False: "no", None: "undecided"}
_NAME = re.compile("[a-z][a-z_]{0,40}")
"""Names of experiments that name a file; a file of results may hold any text there."""

MOST_FAILED = 50
"""Failures that are listed; the others are counted."""


@dataclass(frozen=True)
class Section:
    """All that the template needs."""

    papers: Papers
    claims: list[Judged]
    figures: list[tuple[str, Drawing]]
    failed: list[tuple[str, Failure]]
    unfinished: list[tuple[str, str]]
    """Experiments of whose plan rows are missing, and how many."""
    facts: list[tuple[str, str]]
    cautions: list[str] = field(default_factory=list)
    """What a reader must know of cells behind the claims and the figures."""
    marks: ClassVar[Mapping[str, str]] = MARKS
    rules: ClassVar[str] = RULES
    answer_words: ClassVar[Mapping[bool | None, str]] = ANSWERS
    most_failed: ClassVar[int] = MOST_FAILED

    @property
    def run(self) -> RunRow:
        """The newest run."""
        return self.papers.run

    @property
    def counts(self) -> list[tuple[str, int]]:
        """How many claims came to each verdict."""
        return [(verdict, sum(one.verdict == verdict for one in self.claims)) for verdict in MARKS]

    def anchor(self, claim: Judged) -> str:
        """Id of the figure that shows a claim's measurements; empty where none was drawn."""
        drawn = [drawing.name for name, drawing in self.figures if name in claim.claim.experiments]
        return claim.claim.figure if claim.claim.figure in drawn else drawn[0] if drawn else ""


def section(papers: Papers, *, drawn: bool = True) -> Section:
    """The section of one file of results; without figures where they are not ``drawn``."""
    failed = [(name, one) for name in sorted(papers.experiments) for one in papers.failed(name)]
    missing = [(name, unfinished(papers.missing(name))) for name in sorted(papers.experiments) if papers.missing(name)]
    frame = pd.concat([papers.cells(name) for name in papers.experiments] or [papers.cells("")], ignore_index=True)
    return Section(
        papers=papers,
        claims=judged(papers),
        figures=figures(papers) if drawn else [],
        failed=failed,
        unfinished=missing,
        facts=facts(papers.results, frame),
        cautions=[*filter(None, [cut_short(papers.results)]), *below_one(frame.drop_duplicates("cell"))],
    )


def answers(claims: list[Judged]) -> pd.DataFrame:
    """One row a case of a claim: its condition, its value with interval, and whether it obeys the claim."""
    rows = [
        {
            "claim": one.claim.name,
            "document": one.claim.document,
            "where": one.claim.where,
            "statement": one.claim.statement,
            "published": one.claim.published,
            "verdict": one.words,
            "scope": one.scope.text,
            "tally": one.tally,
            "quantity": one.claim.quantity,
            "rule": one.claim.rule.words,
            "condition": case.name,
            "value": case.value,
            "low": case.low,
            "high": case.high,
            "unit": case.unit,
            "note": case.note,
            "obeys": ANSWERS[answer],
        }
        for one in claims
        for case, answer in zip(one.cases, one.answers, strict=True)
    ]
    return pd.DataFrame(rows)


def tables(found: Section) -> dict[str, pd.DataFrame]:
    """Every table of the section but those of its figures, by the name of its CSV file."""
    named = {"papers-claims": answers(found.claims)}
    for name in filter(_NAME.fullmatch, found.papers.experiments):
        cells, records = found.papers.cells(name), found.papers.records(name)
        if len(cells):
            named[f"papers-{name}-cells"] = plain(cells).dropna(axis="columns", how="all")
        if len(records):
            named[f"papers-{name}-records"] = records
    return named
