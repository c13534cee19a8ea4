"""R of nets of equal layers against their depth."""

from __future__ import annotations

from reports.draw import Drawing
from reports.paper_figures.cells import cells, point, setting
from reports.paper_figures.lines import lines
from reports.paper_figures.points import PUBLISHED, Axis, Look, Point
from reports.papers import Papers

FIGURE = {"backprop": ((1, 4.6), (100, 4.9)), "forward gradient": ((1, 2.55), (100, 4.15))}
"""Depth and R at both ends of Baydin's figure 6, read by eye."""

LOOK = Look(
    "papers-depth",
    "R against depth",
    "Nets of equal layers, both axes logarithmic; bars are 95 % intervals. Published: the two ends of the figure’s "
    "curves, read by eye and joined by a straight line. Forward gradient stands with the sampling of its tangents, as "
    "published, and with tangents given.",
    Axis("depth (layers)", each=True),
    {"R": Axis("R, in forwards", reach=(1,))},
    height=3.6,
)


def depth(papers: Papers) -> Drawing | None:
    """A panel a framework, each beside the published curves."""
    points = [
        one for row in cells(papers, "depth", "R") for one in [point(row, setting(row, "depth"), "R", measure="R")]
    ]
    panels = dict.fromkeys(one.runner for one in points)
    found = [Point(**{**vars(one), "panel": one.runner}) for one in points]
    found += [
        Point(name, PUBLISHED, x, y, panel=panel, measure="R")
        for panel in panels
        for name, ends in FIGURE.items()
        for x, y in ends
    ]
    return lines(LOOK, found)
