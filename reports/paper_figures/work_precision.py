"""Gradient error against time: which method is best at which accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from matplotlib.axes import Axes

from bench.stats import paired
from reports.claims.select import Row, ran
from reports.draw import Drawing
from reports.labels import COLOURS
from reports.numbers import number
from reports.paper_figures.cells import cells, named, setting
from reports.paper_figures.lines import lines
from reports.paper_figures.points import Axis, Decoration, Look, Point
from reports.papers import Papers

LOOK = Look(
    "papers-work-precision",
    "Work and precision",
    "Gradient error against the time of a value and its gradient as each method’s options move, a row a contraction "
    "factor γ; both axes logarithmic, down and left is better. The unit of time is one for all of a panel, the forward "
    "of the longest solve: R itself, whose unit is each cell’s own forward, would flatter long solves. The grey "
    "staircase joins the settings that no other one beats in both, by medians without their intervals: which settings "
    "cost the same, and which of them is to be named, stands in the table. "
    "Forward gradients are unbiased: theirs is the error of one draw of tangents.",
    Axis("time, in forwards of the longest solve"),
    {"": Axis("gradient error")},
    palette=COLOURS
    | {
        "forward gradient × unrolled": COLOURS["forward gradient"],
        "forward gradient × JFB": COLOURS["forward gradient, tangents given"],
    },
    height=2.9,
)


def work_precision(papers: Papers) -> Drawing | None:
    """A panel a γ and framework, a line a method."""
    found = [row for row in cells(papers, "work_precision", "R") if row["gradient_error"] is not None]
    found.sort(key=lambda row: (setting(row, "gamma"), ran(row) != "torch", ran(row)))
    longest: dict[tuple[float, str], Row] = {}
    for row in sorted(found, key=lambda row: setting(row, "K")):
        longest[setting(row, "gamma"), ran(row)] = row
    points = [
        Point(
            named(row),
            ran(row),
            _time(papers, row, longest[setting(row, "gamma"), ran(row)]),
            number(row["gradient_error"]),
            panel=f"γ = {setting(row, 'gamma'):g}, {ran(row)}",
        )
        for row in found
    ]
    return lines(LOOK, points, _Front(points))


def _time(papers: Papers, row: Row, longest: Row) -> float:
    """Seconds of a gradient call ÷ seconds of the longest solve's forward, of each worker first."""
    gradient, forward = papers.by_worker(row["cell"], "gradient_s"), papers.by_worker(longest["cell"], "forward_s")
    return paired(gradient, forward).value


class _Front(Decoration):
    """The least error that each time or less buys."""

    def __init__(self, points: Sequence[Point]) -> None:
        self._points = points

    def __call__(self, axes: Axes, measure: str, panel: str) -> None:
        ours = sorted((point.x, point.y) for point in self._points if point.panel == panel and point.y > 0)
        least = accumulate((y for _, y in ours), min)
        xs, ys = [x for x, _ in ours], list(least)
        right = axes.get_xlim()[1]
        axes.step([*xs, right], [*ys, ys[-1]], where="post", color="#b9bec3", linewidth=4, zorder=0.5)
