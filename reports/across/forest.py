"""The figure of a comparison: R of B ÷ R of A in every cell, sorted, with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.stats import MARGIN
from reports.across.pairs import Pair
from reports.draw import FAINT, GRID, Drawing, render, style
from reports.labels import colour, order
from reports.numbers import clip, interval
from reports.paper_figures.axes import WIDTH, dress
from reports.paper_figures.legend import legend
from reports.paper_figures.points import Axis, pen

NAME = "compared-ratios"
TITLE = "R of B ÷ R of A"
AXIS = Axis("R of B ÷ R of A (logarithmic)", reach=(1 / (1 + MARGIN), 1 + MARGIN))
MOST_ROWS = 80
"""Cells that are drawn: those that changed most."""

CAPTION = (
    "Left of 1 a gradient costs fewer forwards in B than in A, right of 1 more. Points are quotients of the medians "
    f"over worker processes, bars 95 % intervals; the band holds quotients within {100 * MARGIN:g} %."
)


def forest(pairs: Sequence[Pair]) -> Drawing | None:
    """A line a cell, the costlier above; None where no cell has R on both sides."""
    known = sorted(
        (pair for pair in pairs if AXIS.shows(pair.ratio.value)), key=lambda pair: pair.ratio.value, reverse=True
    )
    if not known:
        return None
    most = sorted(known, key=lambda pair: max(pair.ratio.value, 1 / pair.ratio.value), reverse=True)[:MOST_ROWS]
    kept = {id(pair) for pair in most}
    drawn = [pair for pair in known if id(pair) in kept]
    with style(NAME):
        figure = Figure(figsize=(WIDTH, 0.19 * len(drawn) + 1.3), layout="constrained")
        axes = figure.subplots()
        axes.axvspan(1 / (1 + MARGIN), 1 + MARGIN, color=GRID, linewidth=0, zorder=0)
        axes.axvline(1, color=FAINT, linewidth=0.8, linestyle=":", zorder=1)
        for line, pair in enumerate(drawn):
            _point(axes, line, pair)
        dress(axes, "x", AXIS, [end for pair in drawn for end in pair.ratio[:3]])
        axes.set_xlabel(AXIS.label)
        axes.set_yticks(range(len(drawn)), [clip(_name(pair, drawn), 60) for pair in drawn], fontsize=8)
        axes.set_ylim(len(drawn) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
        axes.set_axisbelow(True)
        axes.spines[["top", "right", "left"]].set_visible(False)
        names = sorted({pair.b["label"] for pair in drawn}, key=order)
        legend(figure, names, [pair.b["runner"] for pair in drawn], joined=False)
        alt = f"{TITLE} by cell, with 95 % intervals. " + "; ".join(
            f"{_name(pair, drawn)}, {pair.b['runner']}: {interval(*pair.ratio[:3])}, {pair.verdict}" for pair in drawn
        )
        svg = render(figure, NAME, alt)
    left = len(known) - len(drawn)
    more = f" The {len(drawn)} cells that changed most are drawn, {left} more stand in the table alone." if left else ""
    return Drawing(NAME, TITLE, svg, CAPTION + more, _data(known))


def _point(axes: Axes, y: float, pair: Pair) -> None:
    shade, drawn = colour(pair.b["label"]), pen(pair.b["runner"], {})
    value, low, high = pair.ratio[:3]
    if AXIS.shows(low) and AXIS.shows(high):
        axes.plot([low, high], [y, y], color=shade, linewidth=1.4, solid_capstyle="butt", marker="|", markersize=5)
    face = shade if drawn.filled else "white"
    axes.plot([value], [y], marker=drawn.marker, color=shade, markerfacecolor=face, markersize=5, linestyle="")


def _name(pair: Pair, drawn: Sequence[Pair]) -> str:
    """The problem and the method, with its options where another cell is named the same."""
    plain = f"{pair.title}: {pair.b['label']}"
    twins = {one.options for one in drawn if (one.title, one.b["label"]) == (pair.title, pair.b["label"])}
    return f"{plain} ({pair.options})" if len(twins) > 1 else plain


def _data(pairs: Sequence[Pair]) -> pd.DataFrame:
    """The points as a table."""
    return pd.DataFrame(
        {
            "problem": pair.title,
            "label": pair.b["label"],
            "runner": pair.b["runner"],
            "R_A": pair.a["R"],
            "R_B": pair.b["R"],
            "quotient": pair.ratio.value,
            "low": pair.ratio.low,
            "high": pair.ratio.high,
            "class": pair.verdict,
            "cell": pair.b["cell"],
        }
        for pair in pairs
        if not isnan(pair.ratio.value)
    )
