"""The figure of the peers' bench: ours ÷ each contender, a panel a method, a row a cell."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from math import isfinite

import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from reports.draw import FAINT, GRID, MOST_PANELS, Drawing, render, style
from reports.numbers import clip, sig
from reports.paper_figures.axes import WIDTH, dress
from reports.paper_figures.points import Axis
from reports.peers.table import Line, per_cell
from reports.peers.targets import TARGETS

NAME = "peers-ratios"
TITLE = "Ours beside the peers: time at the same gradient error"
CAPTION = (
    "Time of one of our gradient calls divided by a contender's, which makes the same forward steps and reaches the "
    "same error, timed in the same process in turn; left of 1 ours is faster. Points are medians over worker "
    "processes, bars 95 % t-intervals; dashed lines are the targets of the panel. What failed is not drawn."
)
AXIS = Axis("time of ours ÷ time of the contender (logarithmic)", reach=(1,))
MARKERS = {"torchdeq": "o", "jaxopt": "o", "optimistix": "s", "banax": "D", "stock": "^", "ours": "v"}
"""Of a library; the colour is the contender's own."""

MOST_ROWS = 40
"""Cells of one panel."""

MOST_KEYS = 24

Panel = tuple[str, str, str]
"""Framework, method, and which of ours."""


def figure(found: Sequence[Line]) -> Drawing | None:
    """The figure of all lines that have a ratio; None where none has."""
    drawn = [line for line in found if any(AXIS.shows(pair.ratio.value) for pair in line.cells)]
    panels: dict[Panel, list[Line]] = {}
    for line in drawn:
        panels.setdefault((line.framework, line.method, line.ours), []).append(line)
    panels = dict(list(panels.items())[:MOST_PANELS])
    if not panels:
        return None
    styles = _styles([line.other for lines in panels.values() for line in lines])
    shown = [end for lines in panels.values() for line in lines for pair in line.cells for end in pair.ratio[:3]]
    heights = [len(_rows(lines)) * max(0.24, 0.075 * len(lines)) for lines in panels.values()]
    with style(NAME):
        size = (WIDTH, sum(heights) + 0.45 * len(panels) + 0.7 + 0.17 * (len(styles) // 4))
        drawing = Figure(figsize=size, layout="constrained")
        grid = drawing.subplots(len(panels), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
        for axes, (panel, lines) in zip(grid, panels.items(), strict=True):
            dress(axes, "x", AXIS, [*shown, *(limit for one in panels for limit in _limits(one))])
            _panel(axes, panel, lines, styles)
        grid[-1].set_xlabel(AXIS.label)
        keys = [_key(name, styles) for name in list(styles)[:MOST_KEYS]]
        drawing.legend(handles=keys, loc="outside upper left", ncols=min(len(keys), 4))
        svg = render(drawing, NAME, _alt(list(panels.values())))
    more = (
        f" Of each panel the first {MOST_ROWS} cells are drawn."
        if max(map(_count, panels.values())) > MOST_ROWS
        else ""
    )
    return Drawing(NAME, TITLE, svg, CAPTION + more, per_cell(drawn))


def _panel(axes: Axes, panel: Panel, lines: Sequence[Line], styles: dict[str, tuple[str, str]]) -> None:
    """The contenders of a cell lie below each other."""
    rows = _rows(lines)
    step = min(0.2, 0.72 / len(lines))
    for place, line in enumerate(lines):
        shade, marker = styles[line.other]
        for pair in line.cells:
            value, low, high = pair.ratio[:3]
            if pair.cell not in rows or not AXIS.shows(value):
                continue
            y = rows.index(pair.cell) + step * (place - (len(lines) - 1) / 2)
            if isfinite(low) and isfinite(high):
                axes.plot([low, high], [y, y], color=shade, linewidth=1.3, solid_capstyle="butt")
            axes.plot([value], [y], marker=marker, color=shade, markersize=4.2, linestyle="")
    for edge in range(1, len(rows)):
        axes.axhline(edge - 0.5, color=GRID, linewidth=0.7, zorder=0)
    axes.axvline(1, color=FAINT, linewidth=0.9, zorder=0)
    for limit in _limits(panel):
        axes.axvline(limit, color=FAINT, linewidth=1, linestyle=(0, (4, 3)), zorder=0)
    axes.set_yticks(range(len(rows)), [clip(row, 44) for row in rows], fontsize=8)
    axes.set_ylim(len(rows) - 0.45, -0.55)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    framework, method, own = panel
    axes.set_title(clip(f"{framework}, {method.replace('_', ' ')}: {own}", 70))


def _count(lines: Sequence[Line]) -> int:
    return len({pair.cell for line in lines for pair in line.cells})


def _rows(lines: Sequence[Line]) -> list[str]:
    """The cells of a panel that are drawn."""
    timed = {pair.cell for line in lines for pair in line.cells}
    return [name for name in dict.fromkeys(name for line in lines for name in line.names) if name in timed][:MOST_ROWS]


def _limits(panel: Panel) -> list[float]:
    """The targets of a panel."""
    framework, method, own = panel
    mine = [one for one in TARGETS if one.against and (one.framework, one.method) == (framework, method)]
    return sorted({one.limit for one in mine if fnmatchcase(own, one.ours)})


def _styles(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Colour and marker of each contender; where colours come round again, markers tell libraries apart."""
    found: dict[str, tuple[str, str]] = {}
    palette = sns.color_palette("colorblind").as_hex()
    for name in dict.fromkeys(names):
        colour = palette[len(found) % len(palette)]
        found[name] = (colour, MARKERS.get(name.split(" ")[0], "P"))
    return found


def _key(name: str, styles: dict[str, tuple[str, str]]) -> Line2D:
    """A contender in the legend."""
    colour, marker = styles[name]
    return Line2D([], [], color=colour, marker=marker, linestyle="", markersize=5, label=clip(name, 34))


def _alt(panels: Sequence[Sequence[Line]]) -> str:
    """The figure in words: of each contender the median over cells and the largest."""
    told = [
        f"{line.framework}, {line.ours} by {line.other}: median {sig(line.median)} of {len(line.cells)} cells, "
        f"largest {sig(line.worst.ratio.value)} ({line.worst.cell})"
        for lines in panels
        for line in lines
        if line.worst
    ]
    return f"{TITLE}, {AXIS.label}. " + "; ".join(told)
