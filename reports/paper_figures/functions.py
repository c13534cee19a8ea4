"""Descent on Beale's and Rosenbrock's functions: paths over the contours, and values along the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.claims.select import groups, having, named, numbers, only
from reports.draw import INK, Drawing, render, style
from reports.labels import colour, label
from reports.paper_figures.axes import WIDTH, across, dress, frame
from reports.paper_figures.legend import legend
from reports.paper_figures.points import Axis, pen
from reports.papers import Papers

Function = Callable[[np.ndarray, np.ndarray], np.ndarray]

FUNCTIONS: Mapping[str, tuple[str, Function, tuple[float, float], float]] = {
    "beale": (
        "Beale",
        lambda x, y: (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2,
        (3.0, 0.5),
        5e-5,
    ),
    "rosenbrock": ("Rosenbrock", lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2, (1.0, 1.0), 5e-6),
}
"""Name, function, global minimum, and the published value at the end, read by eye."""

ITERATION, VALUE = Axis("iteration"), Axis("f")
FARTHEST = 10.0
"""A path that leaves this square is cut off at its edge."""


def paths(papers: Papers) -> Drawing | None:
    """A column a function: its contours with every path, and below it f against iterations."""
    records = having(having(having(named(papers.records("test_functions")), "x"), "y"), "value")
    shown = [name for name in FUNCTIONS if len(only(records, function=name))]
    if not shown or "method" not in records.columns:
        return None
    records = records.loc[[name in shown for name in records["function"]]]
    with style("papers-paths"):
        figure = Figure(figsize=(WIDTH, 6.6), layout="constrained")
        above, below = figure.subplots(2, len(shown), squeeze=False, height_ratios=(1.25, 1))
        for name, top, bottom in zip(shown, above, below, strict=True):
            ours = only(records, function=name)
            _contours(top, name, ours)
            _values(bottom, name, ours)
        below[0].set_ylabel(VALUE.label)
        runners = list(dict.fromkeys(map(str, records["framework"])))
        names = [label(name, {}) for name in ("backprop", "forward_gradient")]
        legend(figure, names, runners)
        alt = "Paths of backprop and forward gradient to the minimum of " + " and of ".join(
            f"{FUNCTIONS[name][0]}'s function, {len(list(_runs(only(records, function=name))))} of them"
            for name in shown
        )
        svg = render(figure, "papers-paths", alt)
    caption = (
        "Above: contours of the functions, evenly spaced in the logarithm, with every path: backprop once a framework, "
        "forward gradient once a seed. The star is the global minimum. Below: the value along each path; the dotted "
        "line is where the published curves end, read by eye."
    )
    wanted = ("framework", "function", "method", "rate", "seed", "iteration", "x", "y", "value")
    data = records[[name for name in wanted if name in records.columns]]
    return Drawing("papers-paths", "Descent on test functions", svg, caption, data)


def _runs(records: pd.DataFrame) -> list[tuple[dict[str, str], pd.DataFrame]]:
    """Each path; those of backprop last, so that they lie on top."""
    return sorted(groups(records, "framework", "method", "seed"), key=lambda one: one[0].get("method") == "backprop")


def _contours(axes: Axes, name: str, records: pd.DataFrame) -> None:
    title, function, minimum, _ = FUNCTIONS[name]
    limits = []
    for column, goal in zip(("x", "y"), minimum, strict=True):
        seen = [min(max(value, -FARTHEST), FARTHEST) for value in (*numbers(records, column), goal)]
        pad = 0.12 * (max(seen) - min(seen)) + 0.1
        limits.append((min(seen) - pad, max(seen) + pad))
    x, y = np.meshgrid(*(np.linspace(*ends, 120) for ends in limits))
    heights = np.log10(function(x, y) + 1e-6)
    axes.contour(x, y, heights, levels=np.linspace(-3, 4, 15), colors="#c9cdd1", linewidths=0.7, linestyles="solid")
    for who, path in _runs(records):
        back = who.get("method") == "backprop"
        axes.plot(
            path["x"].astype(float),
            path["y"].astype(float),
            color=colour(label(who["method"], {})),
            linestyle=pen(who["framework"], {}).line,
            linewidth=1.8 if back else 0.9,
            alpha=1 if back else 0.75,
        )
    axes.plot(*minimum, marker="*", color=INK, markersize=9, markeredgecolor="white")
    axes.set(xlim=limits[0], ylim=limits[1], xlabel="x", ylabel="y")
    frame(axes, title)
    axes.locator_params(nbins=6)
    axes.grid(visible=False)


def _values(axes: Axes, name: str, records: pd.DataFrame) -> None:
    published = FUNCTIONS[name][3]
    for who, path in _runs(having(records, "iteration")):
        back = who.get("method") == "backprop"
        axes.plot(
            path["iteration"].astype(float),
            path["value"].astype(float),
            color=colour(label(who["method"], {})),
            linestyle=pen(who["framework"], {}).line,
            linewidth=1.8 if back else 0.9,
            alpha=1 if back else 0.75,
        )
    dress(axes, "x", ITERATION, numbers(records, "iteration"))
    dress(axes, "y", Axis("f", reach=(published,)), numbers(records, "value"))
    frame(axes)
    across(axes, published, "published end")
    axes.set_xlabel(ITERATION.label)
