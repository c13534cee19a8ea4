"""Figures of bytes: peak against depth and against K, one panel a runner, each line with its slope."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from reports.draw import MOST_PANELS, Drawing, render, style
from reports.labels import colour, stroke
from reports.numbers import clip, size
from reports.sweeps import UNITS, Line

TITLES = {"depth": "Memory against depth", "K": "Memory against K"}
MOST_LINES = 16
"""In one panel; more than eight colours there are not."""
MOST_TICKS = 12


def memory(lines: list[Line], axis: str) -> Drawing | None:
    """Peak bytes along ``axis``, log-log; ``None`` without a sweep."""
    if not lines:
        return None
    name = f"peak-by-{axis.lower()}"
    kept, svg = panels(lines, axis, name, _draw, "peak bytes of one gradient call", _alt)
    return Drawing(
        name, TITLES[axis], svg, _caption(kept, lines, axis), _data(lines), [_slope_row(line) for line in lines]
    )


def panels(
    lines: list[Line],
    axis: str,
    name: str,
    draw: Callable[[Axes, list[Line]], None],
    ylabel: str,
    alt: Callable[[list[Line], str], str],
) -> tuple[list[Line], str]:
    """One panel for each problem, place and runner, two in a row; the lines that are drawn, and the SVG."""
    keys = list(dict.fromkeys((line.panel, line.runner) for line in lines))[:MOST_PANELS]
    rows = [
        ours[start : start + 2]
        for panel in dict.fromkeys(panel for panel, _ in keys)
        for ours in [[key for key in keys if key[0] == panel]]
        for start in range(0, len(ours), 2)
    ]
    kept = [line for line in lines if (line.panel, line.runner) in keys]
    with style(name):
        figure = Figure(figsize=(8.4, 3.95 * len(rows)), layout="constrained")
        grid = figure.subplots(len(rows), max(map(len, rows)), squeeze=False, sharey="row", sharex="row")
        for line_of_axes, row in zip(grid, rows, strict=True):
            for axes in line_of_axes[len(row) :]:
                axes.set_visible(False)
            for axes, (panel, runner) in zip(line_of_axes, row, strict=False):
                ours = [line for line in lines if line.panel == panel and line.runner == runner][:MOST_LINES]
                draw(axes, ours)
                _frame(axes, ours, clip(f"{ours[0].title}, {runner}", 50))
                axes.set_xlabel({"depth": "depth (layers)", "K": "K (forward steps)"}[axis])
            line_of_axes[0].set_ylabel(ylabel)
        _level([(row[0][0], line_of_axes[0]) for line_of_axes, row in zip(grid, rows, strict=True)])
        svg = render(figure, name, alt(kept, axis))
    return kept, svg


def _level(firsts: list[tuple[Any, Axes]]) -> None:
    """The same range of bytes for all rows of one problem and place, so that runners can be compared."""
    for panel in {panel for panel, _ in firsts}:
        ours = [axes for other, axes in firsts if other == panel]
        limits = [limit for axes in ours for limit in axes.get_ylim()]
        for axes in ours:
            axes.set_ylim(min(limits), max(limits))


def _draw(axes: Axes, lines: list[Line]) -> None:
    """Exact peaks, and what is left of them without the weights that explain their growth."""
    for place, line in enumerate(lines):
        shade, pen = colour(line.label), stroke(line.runner)
        face = shade if pen.filled else "white"
        text = f"{clip(line.label, 34)}: {line.slope.short}"
        # Of lines that coincide, the ones below are wider, so that all of them are seen.
        above = sum(other.x == line.x and other.peak == line.peak for other in lines[place + 1 :])
        look: dict[str, Any] = {
            "linestyle": pen.line,
            "linewidth": 1.6 + 2.2 * min(above, 4),
            "marker": pen.marker,
            "markersize": 5 + 3 * min(above, 4),
        }
        axes.plot(line.x, line.peak, color=shade, markerfacecolor=face, label=text, **look)
        if line.copies and min(line.without_weights) > 0:
            rest: dict[str, Any] = {"linestyle": ":", "linewidth": 1.3, "marker": ".", "markersize": 3}
            axes.plot(line.x, line.without_weights, color=shade, **rest)


def _frame(axes: Axes, lines: list[Line], title: str) -> None:
    """Logarithmic axes with plain numbers; legend below, where it can cover no line."""
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    xs = sorted({x for line in lines for x in line.x})
    xs = xs[:: 1 + len(xs) // MOST_TICKS]
    axes.xaxis.set_major_locator(FixedLocator(xs))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.grid(axis="y")
    axes.set_title(title)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="upper left", bbox_to_anchor=(-0.02, -0.2), handlelength=2.6, borderaxespad=0)


def _tick(value: float) -> str:
    """Bytes without the zeros that a round number does not need."""
    number, unit = size(value).split(" ")
    return f"{float(number):g} {unit}"


def _slope_row(line: Line) -> tuple[str, ...]:
    """Method, options, framework, range of the axis, slope in words."""
    return (
        line.problem,
        line.label,
        line.options,
        f"{line.framework}, {line.mode}, {'shapes alone' if line.device == 'meta' else line.device}",
        f"{line.x[0]} to {line.x[-1]}",
        line.words,
    )


def _alt(lines: list[Line], axis: str) -> str:
    """The figure in words."""
    return f"Peak bytes against {axis}. " + "; ".join(
        f"{line.title}, {line.label}, {line.runner}: {size(line.peak[0])} at {line.x[0]}, "
        f"{size(line.peak[-1])} at {line.x[-1]}, "
        f"{line.words}"
        for line in lines
    )


def _caption(drawn: list[Line], lines: list[Line], axis: str) -> str:
    """What is drawn; the dotted lines only where there are any."""
    text = "Bytes newly allocated at the peak of one gradient call, counted exactly, both axes logarithmic "
    text += f"({fixed(lines)})."
    if any(line.device == "meta" for line in lines):
        text += " “From shapes alone”: computed without any arrays, at sizes that this machine need not hold."
    if any(line.copies for line in lines):
        text += (
            f" Dotted: the same peak less the weights, gradients or tangents that grow with every "
            f"{UNITS[axis]} and that the table below names; what is left are activations."
        )
    return text + (f" {len(drawn)} of {len(lines)} lines are drawn." if len(drawn) < len(lines) else "")


def fixed(lines: list[Line]) -> str:
    """What does not vary along the lines, by problem and place."""
    found = (f"{line.title}: {line.fixed}, {line.dtype}" for line in lines)
    return clip("; ".join(dict.fromkeys(found)), 600)


def _data(lines: list[Line]) -> pd.DataFrame:
    """One row a point."""
    return pd.DataFrame(
        {
            "problem": line.problem,
            "label": line.label,
            "framework": line.framework,
            "mode": line.mode,
            "device": line.device,
            line.axis: x,
            "peak_bytes": peak,
            "forward_peak_bytes": forward,
            "parameter_bytes": parameters,
            "peak_bytes_without_weights": rest,
            "slope": line.words,
            "sizes": line.fixed,
            "options": line.options,
        }
        for line in lines
        for x, peak, forward, parameters, rest in zip(
            line.x, line.peak, line.forward, line.parameters, line.without_weights, strict=True
        )
    )
