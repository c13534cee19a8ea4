"""Lines with intervals: a panel a quantity and condition, a colour a label, a stroke a runner."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.draw import MOST_PANELS, Drawing, render, style
from reports.labels import colour
from reports.numbers import interval, sig
from reports.paper_figures.axes import WIDTH, dress, frame, written
from reports.paper_figures.legend import legend
from reports.paper_figures.points import PLAIN, Decoration, Look, Point, caption, labels, pen, table

MOST_LINES = 24
"""In one panel."""

MOST_MARKERS = 16
"""About as many on a line; more would hide it."""

Key = tuple[str, str]
"""Measure and title of a panel."""


def lines(look: Look, points: Sequence[Point], decorate: Decoration = PLAIN) -> Drawing | None:
    """The figure of all points that its axes have a place for; None where there are none.

    Panels of the same measure share the range of their values, and all panels share that of x.
    """
    usable = [point for point in points if _has_place(look, point)]
    keys: list[Key] = list(dict.fromkeys((point.measure, point.panel) for point in usable))[:MOST_PANELS]
    if not keys:
        return None
    shown = [point for point in usable if (point.measure, point.panel) in keys]
    columns = min(look.columns, len(keys))
    count = -(-len(keys) // columns)
    with style(look.name):
        figure = Figure(figsize=(WIDTH, look.height * count + 0.45), layout="constrained")
        grid = figure.subplots(count, columns, squeeze=False).ravel()
        for axes in grid[len(keys) :]:
            axes.set_visible(False)
        for place, (axes, key) in enumerate(zip(grid, keys, strict=False)):
            ours = [point for point in shown if (point.measure, point.panel) == key]
            _panel(axes, look, ours)
            same = [point for point in shown if point.measure == key[0]]
            dress(axes, "x", look.x, [point.x for point in shown])
            dress(axes, "y", look.measures[key[0]], [y for point in same for y in (point.y, point.low, point.high)])
            frame(axes, key[1])
            axes.set_xlabel(look.x.label)
            if place % columns == 0 or keys[place - 1][0] != key[0]:
                axes.set_ylabel(look.measures[key[0]].label)
            else:
                axes.tick_params(labelleft=False)
            decorate(axes, *key)
        legend(figure, labels(shown, look.palette), [point.runner for point in shown], look.palette, look.strokes)
        svg = render(figure, look.name, _alt(look, shown))
    return Drawing(look.name, look.title, svg, caption(look, shown), table(usable, look))


def _has_place(look: Look, point: Point) -> bool:
    return look.x.shows(point.x) and look.measures[point.measure].shows(point.y)


def runs(points: Sequence[Point]) -> list[list[Point]]:
    """The points of each line in the order of x; lines in the order in which they first appear."""
    found: dict[Key, list[Point]] = {}
    for point in points:
        found.setdefault((point.label, point.runner), []).append(point)
    return [sorted(line, key=lambda point: point.x) for line in found.values()]


def _panel(axes: Axes, look: Look, points: Sequence[Point]) -> None:
    """The lines of one panel, and their intervals as bars."""
    for line in runs(points)[:MOST_LINES]:
        first = line[0]
        shade, drawn = look.palette.get(first.label, colour(first.label)), pen(first.runner, look.strokes)
        axes.plot(
            [point.x for point in line],
            [point.y for point in line],
            color=shade,
            linestyle=drawn.line,
            marker=drawn.marker,
            markersize=4.5,
            markevery=1 + len(line) // MOST_MARKERS,
            markerfacecolor=shade if drawn.filled else "white",
        )
        known = [point for point in line if isfinite(point.low) and isfinite(point.high)]
        if known:
            bars = zip(*((point.x, point.low, point.high) for point in known), strict=True)
            axes.vlines(*bars, color=shade, linewidth=1.3, zorder=1.9)


def _alt(look: Look, points: Sequence[Point]) -> str:
    """The figure in words: both ends of each line."""
    told = []
    for measure, panel in dict.fromkeys((point.measure, point.panel) for point in points):
        axis = look.measures[measure]
        for line in runs([point for point in points if (point.measure, point.panel) == (measure, panel)]):
            ends = (line[0], line[-1]) if len(line) > 1 else (line[0],)
            numbers = " to ".join(f"{_said(one, axis.bytes)} at {sig(one.x)}" for one in ends)
            who = ", ".join(filter(None, (panel, line[0].label, line[0].runner)))
            told.append(f"{who}: {axis.label} {numbers}")
    return f"{look.title}, against {look.x.label}. " + "; ".join(told)


def _said(point: Point, as_bytes: bool) -> str:
    if as_bytes:
        return written(point.y, True)
    return sig(point.y) if not isfinite(point.low) else interval(point.y, point.low, point.high)
