"""The section on the peers: targets with verdicts, ratios by contender and by cell, a figure, what failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from bench.rows import RunRow
from reports.claims.verdict import unfinished
from reports.draw import Drawing
from reports.facts import facts
from reports.load import Failure
from reports.paper_page import MOST_FAILED
from reports.papers import Papers
from reports.peers.entries import entries
from reports.peers.figure import figure
from reports.peers.frame import EXPERIMENT, frame
from reports.peers.table import Line, lines, per_cell
from reports.peers.verdict import MET, MISSED, UNKNOWN, Judged, judged

MARKS = {MET: "✔", MISSED: "✘", UNKNOWN: "–"}
"""A sign beside each verdict, so that none is told by colour alone."""


@dataclass(frozen=True)
class Section:
    """All that the page and the Markdown show of one file of the peers' bench."""

    papers: Papers
    rows: pd.DataFrame
    targets: list[Judged]
    lines: list[Line]
    figure: Drawing | None
    failed: list[Failure]
    """Parts without a table, and contenders that reached no error or do not apply, each once."""
    unfinished: str
    notes: list[str]
    facts: list[tuple[str, str]]
    marks: ClassVar[Mapping[str, str]] = MARKS
    most_failed: ClassVar[int] = MOST_FAILED

    @property
    def run(self) -> RunRow:
        """The newest run."""
        return self.papers.run

    @property
    def packages(self) -> str:
        """The other libraries with their versions."""
        return ", ".join(sorted({name for name in self.rows["package"] if name}))

    @property
    def counts(self) -> list[tuple[str, int]]:
        """How many targets came to each verdict."""
        return [(verdict, sum(one.verdict == verdict for one in self.targets)) for verdict in MARKS]


def section(papers: Papers, *, drawn: bool = True) -> Section:
    """The section of one file of results; without the figure where it is not ``drawn``."""
    rows, notes = frame(papers)
    missing, failed = papers.missing(EXPERIMENT), papers.failed(EXPERIMENT)
    every = entries(rows)
    found = lines(every)
    bad = rows[rows["status"] != "ok"].drop_duplicates(["framework", "cell", "contender", "method", "status"])
    lost = [
        Failure(f"{one['framework']}, {one['cell']}, {one['contender']}", one["status"], one["reason"])
        for one in bad.to_dict("records")
    ]
    return Section(
        papers=papers,
        rows=rows,
        targets=judged(every, missing, failed),
        lines=found,
        figure=figure(found) if drawn else None,
        failed=[*failed, *lost],
        unfinished=unfinished(missing) if missing else "",
        notes=notes,
        facts=facts(papers.results, papers.cells(EXPERIMENT)),
    )


def tables(found: Section) -> dict[str, pd.DataFrame]:
    """Every table of the section by the name of its CSV file; empty ones are left out."""
    cells = [
        {
            "target": one.target.name,
            "text": one.target.text,
            "framework": one.target.framework,
            "limit": one.target.limit,
            "verdict": one.verdict,
            "cell": value.cell,
            "value": value.number.value,
            "low": value.number.low,
            "high": value.number.high,
            "contender": value.other,
        }
        for one in found.targets
        for value in one.cells
    ]
    named = {"peers-targets": pd.DataFrame(cells), "peers-ratios": per_cell(found.lines), "peers-records": found.rows}
    return {name: table for name, table in named.items() if len(table)}
