"""The figure of raw samples: every pair of every worker."""

from __future__ import annotations

from math import ceil, floor, isnan, log10

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from reports.draw import FAINT, MOST_PANELS, PLAIN, Drawing, render, style
from reports.headline import Group
from reports.labels import colour, order, place
from reports.numbers import clip

MOST_COLUMNS = 4
"""Runners beside each other; there are three."""

MOST_DOTS = 20_000
"""Dots that are drawn one by one; more of them become one picture a panel, so that the page stays small."""

WIDTH, ROW, TITLE, FOOT, LEGEND, GAP = 8.4, 2.05, 0.3, 0.5, 0.2, 0.12
"""Inches: the figure, a row of panels and the title in it, the axis below the last row, a line of the legend, and what
lies between panels. Laid out by hand, since measuring the labels of fifty panels takes longer than drawing them."""

COLUMNS = ["problem", "label", "framework", "mode", "device", "worker", "pair", "forward_s", "gradient_s", "R", "cell"]


def raw(samples: pd.DataFrame, groups: list[Group]) -> Drawing | None:
    """Every pair: one panel a problem and runner, workers along the axis, their pairs in order."""
    homes = {row["cell"]: number for number, group in enumerate(groups) for row in group.rows if not isnan(row["R"])}
    samples = samples[samples["cell"].isin(homes)]
    if samples.empty:
        return None
    home = samples["cell"].map(homes)
    shown = sorted(set(home))[:MOST_PANELS]
    runners = sorted(set(samples["runner"]), key=place)[:MOST_COLUMNS]
    labels = sorted(set(samples["label"]), key=order)[:MOST_PANELS]
    ticks = [_ticks(samples.loc[home == number, "R"]) for number in shown]
    with style("samples"):
        figure, panels = _panels(len(shown), len(runners), ceil(len(labels) / 4), ticks)
        for row, number, known in zip(panels, shown, ticks, strict=True):
            ours = samples[home == number]
            for axes, name in zip(row, runners, strict=True):
                axes.set_title(clip(f"{groups[number].title}, {name}", 80 // len(runners)))
                _dots(axes, ours[ours["runner"] == name], rasterized=len(samples) > MOST_DOTS)
                _axis(axes, samples["worker"], ours["R"], known, first=axes is row[0], last=row is panels[-1])
        handles = [
            Line2D([], [], color=colour(name), marker="o", markersize=4, linestyle="", label=clip(name, 34))
            for name in labels
        ]
        figure.legend(handles=handles, loc="upper left", ncols=min(len(labels), 4), borderaxespad=0.2)
        names = ", ".join(groups[number].title for number in shown)
        svg = render(figure, "samples", f"{len(samples)} raw samples of R by worker process, for {names}.")
    caption = (
        "Each dot is one interleaved pair; inside a worker they stand in the order of measurement. "
        "A slant is drift; a step between workers is a difference of processes, which the interval counts."
    )
    return Drawing("samples", "Raw samples by worker", svg, caption, samples[COLUMNS])


def _panels(rows: int, columns: int, lines: int, ticks: list[list[float]]) -> tuple[Figure, list[list[Axes]]]:
    """An empty figure, its panels below ``lines`` of a legend and right of the widest label of a tick."""
    height = ROW * rows + FOOT + LEGEND * lines
    figure = Figure(figsize=(WIDTH, height), dpi=144)  # dots to the inch where they become a picture
    left = 0.45 + 0.085 * max(len(PLAIN(tick)) for known in ticks for tick in known)
    width = (WIDTH - left - 0.1) / columns
    panels = []
    for row in range(rows):
        bottom = height - LEGEND * lines - ROW * (row + 1)
        boxes = [(left + width * column, bottom, width - GAP, ROW - TITLE - GAP) for column in range(columns)]
        panels.append([figure.add_axes((x / WIDTH, y / height, w / WIDTH, h / height)) for x, y, w, h in boxes])
    return figure, panels


def _dots(axes: Axes, samples: pd.DataFrame, rasterized: bool) -> None:
    """The samples of one problem in one runner."""
    last = samples.groupby("cell", sort=False)["pair"].transform("max").clip(lower=1)
    where = samples["worker"] + 0.7 * (samples["pair"] / last - 0.5)
    for name, ours in samples.groupby("label", sort=False):
        axes.plot(
            where[ours.index],
            ours["R"],
            color=colour(name),
            marker="o",
            markersize=1.8,
            markeredgewidth=0,
            linestyle="",
            rasterized=rasterized,
        )
    if samples.empty:
        said = axes.text(0.5, 0.5, "no samples", transform=axes.transAxes, ha="center", va="center")
        said.set(color=FAINT, style="italic")


def _axis(axes: Axes, workers: pd.Series, ratios: pd.Series, ticks: list[float], first: bool, last: bool) -> None:
    """The same workers along every panel, the same R up every panel of a row; words at the outer ones alone."""
    axes.set_yscale("log")
    axes.set_ylim(*_limits(ratios))
    axes.set_yticks(ticks, [PLAIN(tick) for tick in ticks] if first else [""] * len(ticks))
    axes.set_yticks([], minor=True)
    axes.set_xlim(workers.min() - 0.6, workers.max() + 0.6)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.tick_params(labelbottom=last)
    axes.grid(axis="y")
    axes.spines[["top", "right"]].set_visible(False)
    if first:
        axes.set_ylabel("R of a pair")
    if last:
        axes.set_xlabel("worker process")


def _limits(ratios: pd.Series) -> tuple[float, float]:
    """All of them, with some air on a logarithmic axis."""
    low, high = float(ratios.min()), float(ratios.max())
    air = max((high / low) ** 0.05, 1.01)
    return low / air, high * air


def _ticks(ratios: pd.Series) -> list[float]:
    """At most six round numbers inside the limits."""
    low, high = _limits(ratios)
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    for bases in ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1,)):
        found = [tick for power in powers for base in bases if low <= (tick := base * 10.0**power) <= high]
        if len(found) <= 6:
            break
    return found[:: ceil(len(found) / 6)] if found else [low, high]
