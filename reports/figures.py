"""The figure of R by problem and method."""

from __future__ import annotations

from math import isnan

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter, NullLocator

from reports.below_one import note
from reports.draw import FAINT, INK, MOST_PANELS, PLAIN, Drawing, render, style
from reports.headline import Group, Record
from reports.labels import colour, place, stroke
from reports.numbers import clip, interval


def ratios(groups: list[Group], name: str = "ratios") -> Drawing | None:
    """R with its 95 % interval: one panel a problem, one line a method, the runners below each other. ``name``: of the
    figure, which a page has once."""
    groups = [group for group in groups if group.rows]
    groups, left = groups[:MOST_PANELS], len(groups) - MOST_PANELS
    if not groups:
        return None
    heights = [len(group.methods) for group in groups]
    with style(name):
        figure = Figure(figsize=(8.4, 0.36 * sum(heights) + 0.62 * len(groups) + 0.55), layout="constrained")
        panels = figure.subplots(len(groups), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
        for axes, group in zip(panels, groups, strict=True):
            _panel(axes, group)
        known = [
            row[end]
            for group in groups
            for row in group.rows
            for end in ("R", "R_low", "R_high")
            if not isnan(row[end])
        ]
        _axis(panels[-1], known)
        runners = sorted({row["runner"] for group in groups for row in group.rows}, key=place)
        figure.legend(handles=[_key(one) for one in runners], loc="outside upper right", ncols=min(len(runners), 4))
        alt = "R by problem and method with 95 % intervals. " + "; ".join(
            f"{group.title}, {row['label']}, {row['runner']}: "
            + (interval(row["R"], row["R_low"], row["R_high"]) if not isnan(row["R"]) else row["status"])
            for group in groups
            for row in group.rows
        )
        svg = render(figure, name, alt)
    columns = [
        "problem",
        "label",
        "framework",
        "mode",
        "device",
        "R",
        "R_low",
        "R_high",
        "R_min",
        "workers",
        "pairs",
        "status",
        "reason",
        "cell",
    ]
    data = pd.DataFrame([row for group in groups for row in group.rows])[columns]
    caption = (
        "R is the time of one value-and-gradient call divided by the time of one forward. Points are medians "
        "over worker processes, bars 95 % t-intervals; the dotted line at 1 is the cost of the forward alone."
    )
    if left > 0:
        caption += f" The first {MOST_PANELS} problems are drawn; {left} more stand in the tables alone."
    caption += note(row for group in groups for row in group.rows)
    return Drawing(name, "Time: R by problem and method", svg, caption, data)


def _panel(axes: Axes, group: Group) -> None:
    """The methods of one problem, from top to bottom."""
    methods = group.methods
    twice = [name for name, _, _ in methods]
    for line, (_, _, rows) in enumerate(methods):
        for shift, row in zip(_offsets(len(rows)), rows, strict=True):
            _point(axes, line + shift, row)
    axes.axvline(1, color=FAINT, linewidth=0.8, linestyle=":", zorder=0)
    axes.set_yticks(
        range(len(methods)),
        [clip(f"{name} ({chosen})" if twice.count(name) > 1 else name, 44) for name, chosen, _ in methods],
    )
    axes.set_ylim(len(methods) - 0.45, -0.55)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", which="major")
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.set_title(clip(group.title, 50))


def _point(axes: Axes, y: float, row: Record) -> None:
    """One runner of one method; a cell without R is named, not dropped."""
    shade, pen = colour(row["label"]), stroke(row["runner"])
    if isnan(row["R"]):
        text = f"{clip(row['runner'], 40)}: {row['status']}"
        clear = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        axes.text(
            0.01,
            y,
            text,
            transform=axes.get_yaxis_transform(),
            va="center",
            fontsize=8,
            color=INK,
            style="italic",
            bbox=clear,
        )
        return
    if not isnan(row["R_low"]):
        axes.plot([row["R_low"], row["R_high"]], [y, y], color=shade, linewidth=1.4, solid_capstyle="butt")
        axes.plot([row["R_low"], row["R_high"]], [y, y], color=shade, linewidth=0, marker="|", markersize=5)
    face = shade if pen.filled else "white"
    axes.plot(
        [row["R"]],
        [y],
        marker=pen.marker,
        color=shade,
        markerfacecolor=face,
        markersize=5.5,
        markeredgewidth=1.4,
    )


def _axis(axes: Axes, known: list[float]) -> None:
    """A logarithmic axis with plain numbers, wide enough for every interval and the line at 1."""
    low, high = min([1.0, *known]), max([1.0, *known])
    axes.set_xscale("log")
    axes.set_xlim(low / 1.12, high * 1.15)
    ticks = [
        base * 10**power
        for power in range(-2, 5)
        for base in (1, 1.5, 2, 3, 4, 5, 7)
        if low / 1.12 <= base * 10**power <= high * 1.15
    ]
    while len(ticks) > 9:
        ticks = [tick for tick in ticks if tick == 1] + [tick for tick in ticks if tick != 1][1::2]
    axes.set_xticks(sorted(ticks))
    axes.xaxis.set_major_formatter(PLAIN)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("R, in forwards (logarithmic)")


def _offsets(count: int) -> list[float]:
    """Heights of ``count`` points that share a line, around its middle."""
    return [min(0.26, 0.7 / count) * (index - (count - 1) / 2) for index in range(count)]


def _key(name: str) -> Line2D:
    """A runner in a legend."""
    pen = stroke(name)
    face = INK if pen.filled else "white"
    return Line2D(
        [],
        [],
        color=INK,
        marker=pen.marker,
        markerfacecolor=face,
        linestyle="",
        markersize=5.5,
        label=clip(name, 30),
    )
