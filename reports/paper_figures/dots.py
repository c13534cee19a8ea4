"""Values with intervals: a panel a condition, a row a label, a marker a runner."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.draw import MOST_PANELS, Drawing, render, style
from reports.labels import Stroke, colour, place
from reports.numbers import clip, interval, sig
from reports.paper_figures.axes import WIDTH, dress
from reports.paper_figures.legend import legend
from reports.paper_figures.points import PLAIN, Decoration, Look, Point, caption, labels, pen, table

MOST_ROWS = 16
"""Labels of one panel."""


def dots(look: Look, points: Sequence[Point], decorate: Decoration = PLAIN) -> Drawing | None:
    """The figure of the values y along ``look.measures[""]``; None without points. Panels share the axis of values."""
    axis = look.measures[""]
    usable = [point for point in points if axis.shows(point.y)]
    panels = list(dict.fromkeys(point.panel for point in usable))[:MOST_PANELS]
    if not panels:
        return None
    shown = [point for point in usable if point.panel in panels]
    names = {panel: labels([one for one in shown if one.panel == panel], look.palette)[:MOST_ROWS] for panel in panels}
    heights = [len(names[panel]) for panel in panels]
    with style(look.name):
        size = (WIDTH, 0.36 * sum(heights) + 0.5 * len(panels) + 0.95)
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(len(panels), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
        for axes, panel in zip(grid, panels, strict=True):
            _panel(axes, look, [point for point in shown if point.panel == panel], names[panel])
            axes.set_title(clip(panel, 70))
            dress(axes, "x", axis, [value for one in shown for value in (one.y, one.low, one.high)])
            decorate(axes, "", panel)
        grid[-1].set_xlabel(axis.label)
        legend(figure, [], [point.runner for point in shown], look.palette, look.strokes, joined=False)
        svg = render(figure, look.name, _alt(look, shown))
    return Drawing(look.name, look.title, svg, caption(look, shown), table(usable, look).drop(columns=look.x.label))


def _panel(axes: Axes, look: Look, points: Sequence[Point], names: Sequence[str]) -> None:
    """One row a label; the runners of a row lie below each other."""
    runners = sorted({point.runner for point in points}, key=place)
    step = min(0.26, 0.7 / len(runners))
    for ours in _rows(points):
        label, runner = ours[0].label, ours[0].runner
        if label in names:
            y = names.index(label) + step * (runners.index(runner) - (len(runners) - 1) / 2)
            _row(axes, ours, y, look.palette.get(label, colour(label)), pen(runner, look.strokes))
    axes.set_yticks(range(len(names)), [clip(name, 44) for name in names])
    axes.set_ylim(len(names) - 0.45, -0.55)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _rows(points: Sequence[Point]) -> list[list[Point]]:
    """The points of each panel, label and runner."""
    found: dict[tuple[str, ...], list[Point]] = {}
    for point in points:
        found.setdefault((point.panel, point.label, point.runner), []).append(point)
    return list(found.values())


def _row(axes: Axes, points: Sequence[Point], y: float, shade: str, drawn: Stroke) -> None:
    """The points of one runner in one row, at height ``y``."""
    for point in points:
        if isfinite(point.low) and isfinite(point.high) and point.high > point.low:
            axes.plot([point.low, point.high], [y, y], color=shade, linewidth=1.4, solid_capstyle="butt")
            axes.plot([point.low, point.high], [y, y], color=shade, linewidth=0, marker="|", markersize=5)
    look: dict[str, Any] = {"linestyle": "", "marker": drawn.marker, "markersize": 5.5, "markeredgewidth": 1.2}
    face = shade if drawn.filled else "white"
    axes.plot([point.y for point in points], [y] * len(points), color=shade, markerfacecolor=face, **look)


def _alt(look: Look, points: Sequence[Point]) -> str:
    """The figure in words; of several points in a row the least and the greatest."""
    told = []
    for ours in _rows(points):
        first, values = ours[0], [one.y for one in ours]
        number = sig(first.y) if not isfinite(first.low) else interval(first.y, first.low, first.high)
        if len(ours) > 1:
            number = f"{len(ours)} from {sig(min(values))} to {sig(max(values))}"
        told.append(", ".join(filter(None, (first.panel, first.label, first.runner))) + f": {number}")
    return f"{look.title}, {look.measures[''].label}. " + "; ".join(told)
