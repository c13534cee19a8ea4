"""The figure of raw samples: every pair of every worker."""

from __future__ import annotations

from math import isnan

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullLocator

from reports.clean import clip
from reports.figures import MOST_PANELS, PLAIN, Drawing
from reports.headline import Group
from reports.labels import colour, order, place
from reports.svg import FAINT, render, style

MOST_COLUMNS = 4
"""Runners beside each other; there are three."""


def raw(samples: pd.DataFrame, groups: list[Group]) -> Drawing | None:
    """Every pair: one panel a problem and runner, workers along the axis, their pairs in order."""
    cells = {row["cell"]: group for group in groups for row in group.rows if not isnan(row["R"])}
    samples = samples[samples["cell"].isin(cells)]
    if samples.empty:
        return None
    shown = [group for group in groups if any(group is home for home in cells.values())][:MOST_PANELS]
    runners = sorted(set(samples["runner"]), key=place)[:MOST_COLUMNS]
    with style("samples"):
        figure = Figure(figsize=(8.4, 2.05 * len(shown) + 0.9), layout="constrained")
        panels = figure.subplots(len(shown), len(runners), squeeze=False, sharey="row", sharex=True)
        for row, group in zip(panels, shown, strict=True):
            ours = samples[[cells[cell] is group for cell in samples["cell"]]]
            for axes, name in zip(row, runners, strict=True):
                _panel(
                    axes,
                    ours[ours["runner"] == name],
                    clip(f"{group.title}, {name}", 80 // len(runners)),
                    rasterized=len(samples) > 20_000,
                )
            row[0].set_ylabel("R of a pair")
        for axes in panels[-1]:
            axes.set_xlabel("worker process")
        labels = sorted(set(samples["label"]), key=order)
        handles = [
            Line2D([], [], color=colour(name), marker="o", markersize=4, linestyle="", label=clip(name, 34))
            for name in labels[:MOST_PANELS]
        ]
        figure.legend(handles=handles, loc="outside upper left", ncols=min(len(labels), 4))
        names = ", ".join(group.title for group in shown)
        alt = f"{len(samples)} raw samples of R by worker process, for {names}."
        svg = render(figure, "samples", alt)
    caption = (
        "Each dot is one interleaved pair; inside a worker they stand in the order of measurement. "
        "A slant is drift; a step between workers is a difference of processes, which the interval counts."
    )
    columns = [
        "problem",
        "label",
        "framework",
        "mode",
        "device",
        "worker",
        "pair",
        "forward_s",
        "gradient_s",
        "R",
        "cell",
    ]
    return Drawing("samples", "Raw samples by worker", svg, caption, samples[columns])


def _panel(axes: Axes, samples: pd.DataFrame, title: str, rasterized: bool) -> None:
    """The samples of one problem in one runner."""
    for _, of_cell in samples.groupby("cell", sort=False):
        where = of_cell["worker"] + 0.7 * (of_cell["pair"] / max(of_cell["pair"].max(), 1) - 0.5)
        shade = colour(of_cell["label"].iloc[0])
        axes.plot(
            where,
            of_cell["R"],
            color=shade,
            marker="o",
            markersize=1.8,
            markeredgewidth=0,
            linestyle="",
            rasterized=rasterized,
        )
    if samples.empty:
        axes.text(
            0.5,
            0.5,
            "no samples",
            transform=axes.transAxes,
            ha="center",
            va="center",
            color=FAINT,
            style="italic",
        )
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(PLAIN)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y")
    axes.set_title(title)
    axes.spines[["top", "right"]].set_visible(False)
