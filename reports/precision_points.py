"""The grid's cells as points of gradient error against time, and the figure of them."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, isnan
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.answer.candidate import Case
from reports.below_one import note
from reports.draw import FAINT, MOST_PANELS, Drawing, render, style
from reports.labels import colour, place, settings
from reports.numbers import clip, interval, sig
from reports.paper_figures.axes import WIDTH, dress, frame
from reports.paper_figures.legend import legend
from reports.paper_figures.points import Axis, Point, labels, pen

NAME, TITLE = "precision-grid", "Gradient error against time on the grid"
TELLING = ("gamma", "depth")
"""Sizes that a reader tells problems apart by."""

LEAST = 3
"""Methods with a gradient error that a panel needs."""

TIME, ERROR = Axis("time, in forwards", reach=(1.0,)), Axis("gradient error")
CAPTION = (
    "Gradient error against the time of a value and its gradient, of the cells that were timed, a panel a "
    "problem; both axes logarithmic, down and left is better. Time is R where all forward solves have one length; "
    "where a panel names a K, the unit is the forward of that length, which is no R of shorter solves. A line "
    "joins the settings of a method. Bars are 95 % intervals of time; the dotted line is the cost of the forward "
    "alone. The error of forward gradients is that of one draw of tangents."
)


def points(found: Sequence[Case]) -> list[Point]:
    """The candidates with a known error, of problems where at least ``LEAST`` methods have one."""
    every = [(panel, case) for panel, case in zip(_titled(found), found, strict=True)]
    methods: dict[str, set[str]] = {}
    for panel, case in every:
        methods.setdefault(panel, set()).update(one.label for one in case.candidates if isfinite(one.error))
    return [
        Point(one.label, case.runner, one.cost.value, one.error, one.cost.low, one.cost.high, panel)
        for panel, case in every
        for one in case.candidates
        if len(methods[panel]) >= LEAST and isfinite(one.error)
    ]


def panels(found: Sequence[Case]) -> list[str]:
    """The titles of cases: the problem, with as many sizes as tell it from others of its name."""
    return [_title(case, [one for one in found if one.problem == case.problem]) for case in found]


def _title(case: Case, others: Sequence[Case]) -> str:
    """γ comes first, then the other sizes that differ, until no other sizes are called the same."""
    apart = [name for name, value in case.sizes.items() if any(one.sizes.get(name) != value for one in others)]
    said: dict[str, Any] = {}
    for name in sorted(apart, key=lambda name: (name not in TELLING, name)):
        if not any(one.sizes != case.sizes and said.items() <= one.sizes.items() for one in others):
            break
        said[name] = case.sizes[name]
    dtype = "" if case.dtype == "float32" else case.dtype
    return ", ".join(filter(None, (case.problem, settings(said), dtype)))


def _titled(found: Sequence[Case]) -> list[str]:
    """The titles of panels: those of the cases, with the unit of time where that is no cell's own forward."""
    named = zip(panels(found), found, strict=True)
    return [title if isnan(case.longest) else f"{title}, in {case.measure}" for title, case in named]


def figure(found: Sequence[Case]) -> Drawing | None:
    """Small multiples by problem, colour a method, marker a runner; None where no problem has enough methods."""
    every = points(found)
    usable = [one for one in every if TIME.shows(one.x) and ERROR.shows(one.y)]
    titles = list(dict.fromkeys(one.panel for one in usable))[:MOST_PANELS]
    if not titles:
        return None
    shown = [one for one in usable if one.panel in titles]
    columns = min(2, len(titles))
    count = -(-len(titles) // columns)
    with style(NAME):
        drawn = Figure(figsize=(WIDTH, 2.7 * count + 0.7), layout="constrained")
        grid = drawn.subplots(count, columns, squeeze=False).ravel()
        for axes in grid[len(titles) :]:
            axes.set_visible(False)
        for axes, title in zip(grid, titles, strict=False):
            _panel(axes, title, [one for one in shown if one.panel == title])
            dress(axes, "x", TIME, [value for one in shown for value in (one.x, one.low, one.high)])
            dress(axes, "y", ERROR, [one.y for one in shown])
        legend(drawn, labels(shown, {}), [one.runner for one in shown], joined=False)
        svg = render(drawn, NAME, _alt(shown))
    left = len(every) - len(shown)
    cells = "1 cell" if left == 1 else f"{left} cells"
    more = f" Without place here: {cells}, of an error of 0 or of further problems, in the table alone." if left else ""
    low = note(one.row for case in found for one in case.candidates if case.unfit(one))
    return Drawing(NAME, TITLE, svg, CAPTION + more + low, data(every))


def data(every: Sequence[Point]) -> pd.DataFrame:
    """What the figure was drawn from."""
    rows = [(one.panel, one.label, one.runner, one.x, one.low, one.high, one.y) for one in every]
    return pd.DataFrame(rows, columns=["problem", "label", "runner", "time", "low", "high", "gradient_error"])


def _panel(axes: Axes, title: str, ours: Sequence[Point]) -> None:
    for label, runner in {(one.label, one.runner): None for one in ours}:
        line = sorted((one.x, one.y) for one in ours if (one.label, one.runner) == (label, runner))
        xs, ys = zip(*line, strict=True)
        axes.plot(xs, ys, color=colour(label), linewidth=0.8, alpha=0.5, zorder=1)
    for one in sorted(ours, key=lambda one: place(one.runner)):
        shade, drawn = colour(one.label), pen(one.runner, {})
        if isfinite(one.low) and isfinite(one.high):
            axes.plot([one.low, one.high], [one.y, one.y], color=shade, linewidth=1.2, solid_capstyle="butt")
        face = shade if drawn.filled else "white"
        axes.plot([one.x], [one.y], marker=drawn.marker, color=shade, markerfacecolor=face, markersize=5.5)
    axes.axvline(1, color=FAINT, linewidth=0.8, linestyle=":", zorder=0)
    frame(axes, clip(title, 60))
    axes.set_xlabel(TIME.label)
    axes.set_ylabel(ERROR.label)


def _alt(shown: Sequence[Point]) -> str:
    told = "; ".join(
        f"{one.panel}, {one.label}, {one.runner}: error {sig(one.y)} at {interval(one.x, one.low, one.high)} forwards"
        for one in shown
    )
    return f"{TITLE}. {told}"
