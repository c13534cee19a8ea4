"""Test errors of networks that differ in their gradient, or in their kind, at as many parameters."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from reports.claims import runs
from reports.claims.select import groups, having, named
from reports.draw import Drawing
from reports.labels import COLOURS, OTHER, label
from reports.paper_figures.dots import dots
from reports.paper_figures.points import Axis, Look, Point
from reports.papers import Papers

NAMES = {"explicit": "explicit network", "mon": "MON", "ift": "IFT"}

LOOK = Look(
    "papers-accuracy",
    "Test error at equal parameters",
    "A point a seed, each method at the learning rate of those that were run whose final training loss is least, never "
    "chosen by test error; one that diverged there has no point. A framework with one point a method is a cross-check "
    "at one rate.",
    Axis("row"),
    {"": Axis("test error, %", log=False)},
    palette={"explicit network": OTHER, "MON": "#8c6d31", "IFT": COLOURS["IFT, Picard"]} | COLOURS,
)


def accuracy(papers: Papers) -> Drawing | None:
    """A panel a data set, a row a method, a point a seed."""
    found, missed = [], []
    records = having(named(papers.records("accuracy")), "iteration")
    for who, of_method in groups(records, "data", "framework", "method"):
        name, chosen = who.get("method", ""), runs.best(of_method)
        for error in runs.final_errors(chosen).values():
            shown = NAMES.get(name) or label(name, {})
            point = Point(shown, who.get("framework", ""), 0.0, error, panel=who.get("data", ""))
            if LOOK.measures[""].shows(error):
                found.append(point)
                missed.append({name: runs.failed(chosen, name) for name in ("failed", "unscored")})
    drawn = dots(LOOK, found)
    return drawn and replace(drawn, data=drawn.data.join(pd.DataFrame(missed)))
