"""The heat map of R: methods by problems, one panel a runner, failures as symbols."""

from __future__ import annotations

from math import isnan, log10, nan
from textwrap import wrap
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, LogNorm, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import NullLocator

from reports.below_one import NO_UNIT, no_unit, note
from reports.draw import INK, MOST_PANELS, PLAIN, Drawing, render, style
from reports.headline import Group, Record
from reports.labels import place
from reports.means import BASES, MOST_RUNNERS, Boxes, boxes, kind, titles
from reports.numbers import clip, sig

SYMBOLS = {
    "timeout": ("T", "took too long"),
    "oom": ("M", "out of memory"),
    "wrong": ("X", "wrong gradient"),
    "diverged": ("D", "diverged"),
    "failed": ("F", "failed"),
    "n/a": ("–", "not applicable"),
}
"""What stands in the box of a cell without R, and what it means."""
DOUBT = "*"
"""Behind a number that is no unit."""
FAILED = "#e6e6e6"
"""Behind a symbol; a box that nobody measured has nothing behind it."""

COLUMNS = 8
"""Boxes beside each other; more than these are too narrow for a number."""
MOST_METHODS = 24
"""Rows of one panel."""

# Inches: the figure, its row names, one box, and above the panels the scale, above each panel its title.
WIDTH, LEFT, BOX, HIGH, SCALE, TITLE = 8.4, 2.5, 0.66, 0.27, 0.6, 0.42

Strip = tuple[list[str], list[tuple[str, list[int]]]]
"""Methods, and panels beside each other that share them: a runner with the places of its groups."""


def colours() -> Colormap:
    """From light (cheap) to dark (dear), monotone in grey too; above 50 steps matplotlib would embed a picture."""
    return matplotlib.colormaps["cividis_r"].resampled(32)


def ink(shade: Any) -> str:
    """Black or white, whichever contrasts more with a colour: at least 4.5 to 1, as WCAG 2.1 asks for."""
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in to_rgb(shade))
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "black" if (luminance + 0.05) ** 2 > 1.05 * 0.05 else "white"


def drawing(groups: list[Group]) -> Drawing | None:
    """A number in every box that was timed, a symbol in every one that failed; the data hold what is left out too."""
    groups = [group for group in groups if group.rows]
    if not groups:
        return None
    names, found = titles(groups), boxes(groups)
    strips = _strips(groups, found)
    drawn = {
        (method, runner, one)
        for methods, panels in strips
        for method in methods
        for runner, columns in panels
        for one in columns
        if one in found[method].get(runner, {})
    }
    with style("heat"):
        svg = render(_figure(strips, found, names), "heat", _alt(strips, found, names))
    every = sum(len(group.rows) for group in groups)
    caption = "R by colour, the darker the dearer; intervals stand in the tables. An empty box was not measured."
    if len(drawn) < every:
        caption += (
            f" Drawn are {len(drawn)} of {every} cells, of the first {MOST_PANELS} problems, {MOST_METHODS} methods "
            f"and {MOST_RUNNERS} runners; the others stand in the tables alone."
        )
    caption += note(row for group in groups for row in group.rows)
    return Drawing("heat", "R by method and problem", svg, caption, _data(found, names, drawn))


def _strips(groups: list[Group], found: Boxes) -> list[Strip]:
    """Explicit problems, then implicit ones, in blocks; of a runner the problems that it visited."""
    runners = sorted({runner for of in found.values() for runner in of}, key=place)[:MOST_RUNNERS]
    strips: list[Strip] = []
    for name in BASES:
        ours = [one for one, group in enumerate(groups[:MOST_PANELS]) if kind(group) == name]
        for block in (ours[start : start + COLUMNS] for start in range(0, len(ours), COLUMNS)):
            seen = {runner: {one for of in found.values() for one in of.get(runner, {})} for runner in runners}
            methods = [name for name, of in found.items() if any({*block} & {*of.get(one, {})} for one in runners)]
            room = 0
            for runner in (one for one in runners if seen[one] & {*block}):
                columns = [one for one in block if one in seen[runner]]
                room -= len(columns)
                if room < 0:
                    strips.append((methods[:MOST_METHODS], []))
                    room = COLUMNS - len(columns)
                strips[-1][1].append((runner, columns))
    return strips


def _figure(strips: list[Strip], found: Boxes, names: list[str]) -> Figure:
    """Placed by hand, in inches, so that all boxes are of one size."""
    every = [row for of in found.values() for rows in of.values() for row in rows.values()]
    known = [row["R"] for row in every if not isnan(row["R"])]
    scale = ScalarMappable(LogNorm(min([1.0, *known]), max([2.0, *known])), colours())
    labels = [[line for word in clip(name, 70).split(", ") for line in wrap(word, 10)][:7] for name in names]
    under = [0.22 + 0.125 * max(len(labels[one]) for _, ours in panels for one in ours) for _, panels in strips]
    tall = SCALE + sum(TITLE + HIGH * len(rows) + room for (rows, _), room in zip(strips, under, strict=True)) + 0.25
    figure = Figure(figsize=(WIDTH, tall))
    top = SCALE
    for (methods, panels), room in zip(strips, under, strict=True):
        top, left, high = top + TITLE, LEFT, HIGH * len(methods)
        for number, (runner, columns) in enumerate(panels):
            wide = BOX * len(columns)
            axes = figure.add_axes((left / WIDTH, 1 - (top + high) / tall, wide / WIDTH, high / tall))
            rows = [[found[method].get(runner, {}).get(one) for one in columns] for method in methods]
            _panel(axes, rows, scale)
            axes.set_title("\n".join(wrap(clip(runner, 9 * len(columns) + 9), 9 * len(columns))), fontsize=8)
            axes.set_xticks([one + 0.5 for one in range(len(columns))], ["\n".join(labels[one]) for one in columns])
            named = [clip(method, 36) for method in methods] if number == 0 else []
            axes.set_yticks([line + 0.5 for line in range(len(named))], named)
            left += wide + 0.12
        top += high + room
    if known:
        bar = figure.add_axes((LEFT / WIDTH, 1 - 0.2 / tall, 0.4, 0.13 / tall))
        figure.colorbar(scale, cax=bar, orientation="horizontal", ticks=round_numbers(*scale.get_clim()), format=PLAIN)
        bar.xaxis.set_minor_locator(NullLocator())
        bar.tick_params(labelsize=7.5)
        bar.set_ylabel("R, in forwards (logarithmic)", rotation=0, ha="right", va="center", fontsize=8)
    present = {row["status"] for row in every if isnan(row["R"])}
    told = [words for status, words in SYMBOLS.items() if status in present]
    told += [(DOUBT, f"R {NO_UNIT}")] if any(map(no_unit, every)) else []
    key = " · ".join(map(" ".join, told))
    figure.text(LEFT / WIDTH, 0.1 / tall, key, fontsize=8, va="bottom", color=INK)
    return figure


def _panel(axes: Axes, rows: list[list[Record | None]], scale: ScalarMappable) -> None:
    """The boxes of one runner."""
    low, high = scale.get_clim()
    logs = np.array([[log10(row["R"]) if row else nan for row in line] for line in rows])
    look: dict[str, Any] = {"cmap": scale.cmap, "vmin": log10(low), "vmax": log10(high), "linewidths": 1}
    sns.heatmap(logs, ax=axes, cbar=False, xticklabels=False, yticklabels=False, **look)
    for y, line in enumerate(rows):
        for x, row in enumerate(line):
            if row is None:
                continue
            if isnan(row["R"]):
                axes.add_patch(Rectangle((x, y), 1, 1, facecolor=FAILED, edgecolor="white", linewidth=1))
            text = SYMBOLS[row["status"]][0] if isnan(row["R"]) else sig(row["R"]) + DOUBT * no_unit(row)
            shade = FAILED if isnan(row["R"]) else scale.to_rgba(row["R"])
            axes.text(x + 0.5, y + 0.52, text, ha="center", va="center", fontsize=8, color=ink(shade))
    axes.tick_params(length=0, labelsize=8)
    axes.tick_params(axis="x", labelsize=7)


def round_numbers(low: float, high: float) -> list[float]:
    """At most seven round numbers from low to high."""
    every = [base * 10.0**power for power in range(-17, 18) for base in (1, 2, 5) if low <= base * 10.0**power <= high]
    return every[:: 1 + (len(every) - 1) // 7]


def _alt(strips: list[Strip], found: Boxes, names: list[str]) -> str:
    """Every box in words."""
    parts = []
    for methods, panels in strips:
        for runner, columns in panels:
            for one in columns:
                rows = [(method, found[method].get(runner, {}).get(one)) for method in methods]
                told = [f"{method} {sig(row['R']) if row['R'] > 0 else row['status']}" for method, row in rows if row]
                parts.append(f"{names[one]}, {runner}: {', '.join(told)}")
    return "R by method and problem. " + "; ".join(parts) + "."


def _data(found: Boxes, names: list[str], drawn: set[tuple[str, str, int]]) -> pd.DataFrame:
    """One row a box."""
    columns = ("framework", "mode", "device", "R", "R_low", "R_high", "status", "reason", "cell")
    return pd.DataFrame(
        {"problem": names[one], "label": method, "drawn": (method, runner, one) in drawn}
        | {name: row[name] for name in columns}
        for method, of in found.items()
        for runner, rows in of.items()
        for one, row in rows.items()
    )
