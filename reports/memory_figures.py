"""Figures of bytes: peak against depth and against K, one panel a framework, each line with its slope."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from reports.figures import Drawing
from reports.labels import colour, stroke
from reports.numbers import size
from reports.svg import render, style
from reports.sweeps import UNITS, Line

TITLES = {"depth": "Memory against depth", "K": "Memory against K"}


def memory(lines: list[Line], axis: str) -> Drawing | None:
    """Peak bytes along ``axis``, log-log; ``None`` without a sweep."""
    if not lines:
        return None
    name = f"peak-by-{axis.lower()}"
    rows = list(dict.fromkeys(line.panel for line in lines))
    frameworks = sorted({line.framework for line in lines}, key=lambda framework: (framework != "torch", framework))
    with style(name):
        figure = Figure(figsize=(8.4, 3.95 * len(rows)), layout="constrained")
        panels = figure.subplots(len(rows), len(frameworks), squeeze=False, sharey="row", sharex="row")
        for line_of_panels, panel in zip(panels, rows, strict=True):
            for axes, framework in zip(line_of_panels, frameworks, strict=True):
                ours = [line for line in lines if line.panel == panel and line.framework == framework]
                _panel(axes, ours, f"{panel[0]}, {framework}")
            line_of_panels[0].set_ylabel("peak bytes of one gradient call")
        for axes in panels[-1]:
            axes.set_xlabel({"depth": "depth (layers)", "K": "K (forward steps)"}[axis])
        svg = render(figure, name, _alt(lines, axis))
    return Drawing(name, TITLES[axis], svg, _caption(lines, axis), _data(lines), [_slope_row(line) for line in lines])


def _panel(axes: Axes, lines: list[Line], title: str) -> None:
    """The lines of one problem in one framework; legend below, where it can cover none."""
    for place, line in enumerate(lines):
        shade, pen = colour(line.label), stroke(line.framework)
        face = shade if pen.filled else "white"
        text = f"{line.label}: {line.slope.short}"
        # Of lines that coincide, the ones below are wider, so that all of them are seen.
        above = sum(other.x == line.x and other.peak == line.peak for other in lines[place + 1 :])
        look: dict[str, Any] = {
            "linestyle": pen.line,
            "linewidth": 1.6 + 2.2 * above,
            "marker": pen.marker,
            "markersize": 5 + 3 * above,
        }
        axes.plot(line.x, line.peak, color=shade, markerfacecolor=face, label=text, **look)
        if line.copies and min(line.without_weights) > 0:
            axes.plot(
                line.x,
                line.without_weights,
                color=shade,
                linestyle=":",
                linewidth=1.3,
                marker=".",
                markersize=3,
            )
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    xs = sorted({x for line in lines for x in line.x})
    axes.xaxis.set_major_locator(FixedLocator(xs))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.grid(axis="y")
    axes.set_title(title)
    axes.spines[["top", "right"]].set_visible(False)
    if lines:
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
        f"{line.framework}, {line.mode}",
        f"{line.x[0]} to {line.x[-1]}",
        line.words,
    )


def _alt(lines: list[Line], axis: str) -> str:
    """The figure in words."""
    return f"Peak bytes against {axis}. " + "; ".join(
        f"{line.problem}, {line.label}, {line.framework}: {size(line.peak[0])} at {line.x[0]}, "
        f"{size(line.peak[-1])} at {line.x[-1]}, "
        f"{line.words}"
        for line in lines
    )


def _caption(lines: list[Line], axis: str) -> str:
    """What is drawn; the dotted lines only where there are any."""
    sizes = "; ".join(dict.fromkeys(f"{line.problem}: {line.fixed}, {line.dtype} on {line.device}" for line in lines))
    text = "Bytes newly allocated at the peak of one gradient call, counted exactly, both axes logarithmic "
    text += f"({sizes})."
    if any(line.copies for line in lines):
        text += (
            f" Dotted: the same peak less the weights, gradients or tangents that grow with every "
            f"{UNITS[axis]} and that the table below names; what is left are activations."
        )
    return text


def _data(lines: list[Line]) -> pd.DataFrame:
    """One row a point."""
    return pd.DataFrame(
        {
            "problem": line.problem,
            "label": line.label,
            "framework": line.framework,
            "mode": line.mode,
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
