"""Test errors of networks that differ in their gradient, or in their kind, at as many parameters."""

from __future__ import annotations

from reports.claims import runs
from reports.claims.select import groups, having, named
from reports.figures import Drawing
from reports.labels import COLOURS, OTHER, label
from reports.paper_figures.dots import dots
from reports.paper_figures.points import Axis, Look, Point
from reports.papers import Papers

NAMES = {"explicit": "explicit network", "mon": "MON", "ift": "IFT"}

LOOK = Look(
    "papers-accuracy",
    "Test error at equal parameters",
    "A point a seed, each method at the learning rate of those that were run whose final training loss is least, never "
    "chosen by test error. A framework with one point a method is a cross-check at one rate.",
    Axis("row"),
    {"": Axis("test error, %", log=False)},
    palette={"explicit network": OTHER, "MON": "#8c6d31", "IFT": COLOURS["IFT, Picard"]} | COLOURS,
)


def accuracy(papers: Papers) -> Drawing | None:
    """A panel a data set, a row a method, a point a seed."""
    found = []
    records = having(named(papers.records("accuracy")), "iteration")
    for who, of_method in groups(records, "data", "framework", "method"):
        name = who.get("method", "")
        for error in runs.final_errors(runs.best(of_method)).values():
            shown = NAMES.get(name) or label(name, {})
            found.append(Point(shown, who.get("framework", ""), 0.0, error, panel=who.get("data", "")))
    return dots(LOOK, found)
