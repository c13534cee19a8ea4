"""Work and precision: what each gradient error costs, in the papers' experiment and on the grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from reports.answer.candidate import Case, comparable
from reports.answer.common_time import clock
from reports.answer.grid_cases import every
from reports.answer.paper_cases import layers
from reports.answer.rule import Decision, decide
from reports.draw import Drawing
from reports.paper_figures.axes import written
from reports.paper_figures.work_precision import work_precision
from reports.papers import Papers
from reports.part import Part
from reports.precision_points import LEAST, figure, panels

LIMITS = (1e-1, 1e-2, 1e-4, 1e-6)
"""Gradient errors of the table's columns."""


@dataclass(frozen=True)
class Line:
    """One problem on one runner: the least costly methods at each of ``LIMITS``. source: ``grid``, or ``papers`` for
    their experiments, which may have run elsewhere: each problem of each source stands alone."""

    source: str
    title: str
    case: Case
    decisions: tuple[Decision, ...]


@dataclass(frozen=True)
class Content:
    """What the template reads. limits: as texts."""

    figures: tuple[Drawing, ...]
    lines: tuple[Line, ...]
    limits: tuple[str, ...]

    @property
    def problems(self) -> dict[tuple[str, str, str], list[Line]]:
        """The lines by source, problem and unit of time."""
        found: dict[tuple[str, str, str], list[Line]] = {}
        for line in self.lines:
            found.setdefault((line.source, line.title, line.case.quantity), []).append(line)
        return found


def part(frame: pd.DataFrame, samples: pd.DataFrame, papers: Papers | None) -> Part | None:
    """Figures and table of frames of ``reports.frame.cells`` and ``samples``, and of the papers' experiments; None
    where no problem has three methods with a gradient error and a time."""
    # Where nothing was timed there is no panel that another one must be told from.
    grid = [case for case in every(frame, clock(samples)) if any(map(comparable, case.candidates))]
    drawn = tuple(filter(None, (figure(grid), work_precision(papers) if papers else None)))
    lines = (*_lines("grid", grid), *_lines("papers", layers(papers)))
    if not drawn and not lines:
        return None
    content = Content(drawn, lines, tuple(map(written, LIMITS)))
    return Part("precision", "Work and precision", "precision.html.j2", content, drawn, {"precision": table(lines)})


def table(lines: Sequence[Line]) -> pd.DataFrame:
    """The table as data: one row a problem, runner, limit and method that is named; none named has an empty method."""
    columns = [
        "source",
        "problem",
        "runner",
        "error_at_most",
        "method",
        "options",
        "cost",
        "low",
        "high",
        "unit",
        "error",
        "note",
    ]
    rows = []
    for line in lines:
        for limit, decision in zip(LIMITS, line.decisions, strict=True):
            where = (line.source, line.case.about, line.case.runner, limit)
            if not decision.winners:
                rows.append((*where, "", "", *[float("nan")] * 3, line.case.measure, float("nan"), decision.why))
            for one in decision.winners:
                cost = (one.cost.value, one.cost.low, one.cost.high, line.case.unit_of(one))
                rows.append((*where, one.label, one.options, *cost, one.error, decision.why))
    return pd.DataFrame(rows, columns=columns)


def _lines(source: str, found: Sequence[Case]) -> list[Line]:
    """The cases in which enough methods have an error and a time."""
    titled = zip(panels(found), found, strict=True)
    wanted = [(title, case) for title, case in titled if len(_methods(case)) >= LEAST]
    return [Line(source, title, case, tuple(decide(case, limit) for limit in LIMITS)) for title, case in wanted]


def _methods(case: Case) -> set[str]:
    return {one.label for one in case.candidates if comparable(one)}
