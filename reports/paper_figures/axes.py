"""Scales, ticks, frames and legends that the figures of the experiments share."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from reports.draw import FAINT
from reports.numbers import clip, size
from reports.paper_figures.points import Axis

WIDTH = 8.4
"""Inches of a figure of the page."""

MOST_TICKS = 8

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def dress(axes: Axes, which: str, axis: Axis, values: Sequence[float]) -> None:
    """Scale, limits and ticks of the ``which`` ("x" or "y") axis for all of the values."""
    seen = [one for one in (*values, *axis.reach) if axis.shows(one)]
    low, high = (min(seen), max(seen)) if seen else (1.0, 1.0)
    if axis.log:
        axes.set(**{f"{which}scale": "log"})
        pad = max((high / low) ** 0.06, 1.04)
        low, high = low / pad, high * pad
    else:
        pad = 0.05 * (high - low) or 0.5
        low, high = low - pad, high + pad
    axes.set(**{f"{which}lim": (low, high)})
    found = sorted({one for one in values if axis.shows(one)}) if axis.each else ticks(low, high, axis.log)
    if axis.each:
        found = found[:: 1 + len(found) // (MOST_TICKS + 1)]
    one = axes.xaxis if which == "x" else axes.yaxis
    one.set_major_locator(FixedLocator(found))
    one.set_major_formatter(FuncFormatter(lambda value, _: written(value, axis.bytes)))
    one.set_minor_locator(NullLocator())


def ticks(low: float, high: float, log: bool) -> list[float]:
    """Round numbers from ``low`` to ``high``, at most ``MOST_TICKS``."""
    if log:
        decades = range(floor(log10(low)), ceil(log10(high)) + 1)
        for factors in ((1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0), (1.0, 2.0, 5.0), (1.0,)):
            found = [float(f"{factor}e{decade}") for decade in decades for factor in factors]
            found = [one for one in found if low <= one <= high]
            if len(found) < 3:
                break
            if len(found) <= MOST_TICKS or factors == (1.0,):
                return found[:: 1 + (len(found) - 1) // MOST_TICKS]
    return [float(one) for one in MaxNLocator(5).tick_values(low, high) if low <= one <= high]


def written(value: float, as_bytes: bool = False) -> str:
    """A tick without the zeros that a round number does not need: ``0.02``, ``10⁴``, ``2×10⁻⁷``, ``5 MB``."""
    if as_bytes:
        number, unit = size(value).split(" ")
        return f"{float(number):g} {unit}"
    mantissa, exponent = f"{value:.3e}".split("e")
    factor, power = f"{float(mantissa):g}", int(exponent)
    if value == 0 or -3 <= power < 4 or (factor != "1" and 0 < power < 6):
        return f"{float(f'{value:.4g}'):g}"
    return ("" if factor == "1" else f"{factor}×") + f"10{str(power).translate(RAISED)}"


def frame(axes: Axes, title: str = "") -> None:
    """A panel's title, grid and spines."""
    axes.grid(axis="y")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(clip(title, 44))


def across(axes: Axes, value: float, text: str = "", colour: str = FAINT) -> None:
    """A dotted horizontal line, with words at its left end."""
    axes.axhline(value, color=colour, linewidth=0.9, linestyle=":", zorder=1)
    if text:
        axes.annotate(
            text,
            (0, value),
            (3, 2),
            xycoords=axes.get_yaxis_transform(),
            textcoords="offset points",
            fontsize=7.5,
            color=colour,
        )
