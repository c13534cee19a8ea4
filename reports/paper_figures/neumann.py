"""What the terms of a Neumann series buy: time, gradient error and test error against its order k."""

from __future__ import annotations

from math import isfinite
from statistics import fmean

from reports.claims import runs
from reports.claims.select import groups, having, named, numbers
from reports.draw import Drawing
from reports.labels import COLOURS
from reports.paper_figures.cells import cells, point, setting
from reports.paper_figures.lines import lines
from reports.paper_figures.points import Axis, Look, Point
from reports.papers import Papers

SERIES = "Neumann series"

LOOK = Look(
    "papers-neumann",
    "Neumann series of order k",
    "One term, order 0, is JFB. R with 95 % intervals over worker processes; gradient error against the true one at "
    "the fixed point; test error as the mean over seeds, its bars from the least seed to the greatest; a seed that "
    "diverged has none.",
    Axis("k + 1 terms", each=True),
    {
        "R": Axis("R, in forwards"),
        "gradient_error": Axis("gradient error"),
        "error": Axis("test error, %", log=False),
    },
    palette={SERIES: COLOURS["IFT, Picard"]},
    columns=3,
)


def neumann(papers: Papers) -> Drawing | None:
    """A panel a quantity, and a data set where runs have one; a line a framework."""
    found = [
        point(row, setting(row, "M"), column, measure=column, label=SERIES)
        for column in ("R", "gradient_error")
        for row in cells(papers, "neumann", column)
        if row["options"].get("linear_solver") == "picard"
    ]
    records = having(having(named(papers.records("neumann")), "iteration"), "k")
    for who, of_order in groups(records, "framework", "data", "k"):
        errors = [error for error in runs.final_errors(runs.best(of_order)).values() if isfinite(error)]
        if errors:
            terms, ends = numbers(of_order, "k")[0] + 1, (min(errors), max(errors))
            framework, data = who.get("framework", ""), who.get("data", "")
            found.append(Point(SERIES, framework, terms, fmean(errors), *ends, panel=data, measure="error"))
    return lines(LOOK, found)
