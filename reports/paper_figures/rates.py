"""Where each method's best learning rate lies on the grid that both are given."""

from __future__ import annotations

from reports.claims import runs
from reports.claims.select import groups, having, named, numbers, only
from reports.draw import Drawing
from reports.labels import label, place
from reports.paper_figures.lines import lines
from reports.paper_figures.points import Axis, Look, Point
from reports.papers import Papers

LOOK = Look(
    "papers-rates",
    "Final training loss against learning rate",
    "Mean over seeds at the last iteration, both methods on the same grid of rates; a rate at which a seed diverged "
    "has no point. A best rate at the end of the grid would say that the grid is too short.",
    Axis("learning rate"),
    {"": Axis("final training loss")},
)


def rates(papers: Papers) -> Drawing | None:
    """A panel a framework and data set, a line a method."""
    records = having(having(named(papers.records("training")), "iteration"), "rate")
    found = []
    for who, of_rate in groups(only(records, protocol="tuned"), "framework", "data", "method", "rate"):
        rate, loss = numbers(of_rate, "rate")[0], runs.curve(of_rate).loss
        framework, data = who.get("framework", ""), who.get("data", "")
        panel = ", ".join(filter(None, (framework, data)))
        found.append(Point(label(who.get("method", ""), {}), framework, rate, loss, panel=panel))
    return lines(LOOK, sorted(found, key=lambda point: place(point.runner)))
