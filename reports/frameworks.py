"""torch against jax: R of the same cell in both, and their quotient with its interval."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from math import exp, isnan, log, nan
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

from bench.stats import Estimate, holm, welch_p, welch_reach
from reports.below_one import NO_UNIT, no_unit, note
from reports.draw import FAINT, INK, PLAIN, Drawing, render, style
from reports.headline import Group, Record, options
from reports.heat import round_numbers
from reports.labels import COLOURS, colour, order, place, stroke
from reports.means import columns, titles
from reports.numbers import clip, sig
from reports.part import Part
from reports.ranking import LEVEL

MOST = 200
"""Pairs of cells in the figure and in the table; the data hold all."""
DOT: dict[str, Any] = {"markersize": 5.5, "linestyle": ""}


@dataclass(frozen=True)
class Pair:
    """One cell in torch and in jax, and its R of jax ÷ R of torch: same problem, dtype, device, seed and method."""

    problem: str
    label: str
    options: str
    torch: Record
    jax: Record
    quotient: Estimate
    apart: bool = False
    """Whether both R are still told apart after the correction for all pairs of the page."""

    @property
    def modes(self) -> str:
        """How each ran."""
        return f"{self.torch['mode']} / {self.jax['mode']}"

    @property
    def peak(self) -> float:
        """Peak bytes of jax ÷ those of torch, exact; NaN where one is unknown."""
        below = self.torch["peak_bytes"]
        return self.jax["peak_bytes"] / below if below > 0 else nan

    @property
    def remark(self) -> str:
        """What the interval of the quotient decides."""
        lost = [f"{row['framework']}: {row['status']}" for row in (self.torch, self.jax) if isnan(row["R"])]
        if lost:
            return ", ".join(lost)
        if doubtful := [row["framework"] for row in (self.torch, self.jax) if no_unit(row)]:
            return f"{' and '.join(doubtful)}: R {NO_UNIT}"
        if isnan(self.quotient.low):
            return "no interval"
        if self.quotient.low <= 1 <= self.quotient.high or not self.apart:
            return "not told apart"
        return f"R higher in {'jax' if self.quotient.low > 1 else 'torch'}"


@dataclass(frozen=True)
class Section:
    """What the template shows. alone: cells that only one of the frameworks visited."""

    pairs: list[Pair]
    alone: int
    most: int = MOST

    def count(self, remark: str) -> int:
        """Pairs with a remark."""
        return sum(pair.remark == remark for pair in self.pairs)


def part(groups: list[Group]) -> Part | None:
    """The part of the page; ``None`` where no cell was visited in both frameworks."""
    found, alone = pairs(groups)
    if not found:
        return None
    drawn = scatter(found)
    figures, tables = ((drawn,), {}) if drawn else ((), {"frameworks": frame(found)})
    return Part("frameworks", "torch against jax", "frameworks.html.j2", Section(found, alone), figures, tables)


def pairs(groups: list[Group]) -> tuple[list[Pair], int]:
    """Cells visited in both frameworks, mode against mode, and how many have no partner."""
    found: list[Pair] = []
    alone = 0
    for title, group in zip(titles(groups), groups, strict=True):
        same: dict[str, dict[str, list[Record]]] = {}
        for row in group.rows:
            key = json.dumps([row["method"], row["gradient"], row["label"], row["options"]], sort_keys=True)
            same.setdefault(key, {"torch": [], "jax": []}).setdefault(row["framework"], []).append(row)
        for rows in same.values():
            both = [(one, other) for one in rows["torch"] for other in rows["jax"]]
            found += [Pair(title, one["label"], options(one), one, other, quotient(one, other)) for one, other in both]
            alone += 0 if both else len(rows["torch"]) + len(rows["jax"])
    return corrected(found), alone


def corrected(found: list[Pair]) -> list[Pair]:
    """The pairs with what Welch's test says of each after Holm's correction for all that have an interval."""
    columns = ("R_low", "R_high", "workers")
    both = [[row[name] for pair in found for row in (pair.torch, pair.jax)] for name in columns]
    low, high, workers = (np.array(values, dtype=float) for values in both)
    every = np.arange(len(found), dtype=np.intp)
    p = welch_p(low, high, workers, 2 * every, 2 * every + 1)
    exact = (low == high)[::2] & (low == high)[1::2]  # without noise, as made-up rows are, what differs is apart
    p = np.where(exact, np.where(low[::2] == low[1::2], 1.0, 0.0), p)
    known = ~np.isnan(p)
    p[known] = holm(p[known].tolist())
    return [replace(pair, apart=bool(one < LEVEL)) for pair, one in zip(found, p, strict=True)]


def quotient(torch: Record, jax: Record) -> Estimate:
    """R of jax ÷ R of torch, with Welch's 95 % interval on logarithms.

    The workers of the two are different processes, so the variances of the mean logarithms add up: exp(m ±
    ``welch_reach``), m the difference of mean logarithms. The value is the quotient of the two medians that the tables
    show. No interval with one worker.
    """
    if isnan(torch["R"]) or isnan(jax["R"]):
        return Estimate(nan, nan, nan, 0)
    value, rows = jax["R"] / torch["R"], (torch, jax)
    workers = int(min(row["workers"] for row in rows))
    if any(isnan(row["R_low"]) for row in rows):
        return Estimate(value, nan, nan, workers)
    # The interval of each R is symmetric on logarithms, around their mean.
    below, above = ((log(row["R_low"]) + log(row["R_high"])) / 2 for row in rows)
    half = welch_reach((row["sd_log_R"] ** 2 / row["workers"], row["workers"] - 1) for row in rows)
    # Damaged files hold ratios whose interval is beyond what a float can be.
    low, high = (exp(max(-700.0, min(one, 700.0))) for one in (above - below - half, above - below + half))
    return Estimate(value, low, high, workers)


def scatter(found: list[Pair]) -> Drawing | None:
    """R in torch across, R in jax up; ``None`` where no cell has both."""
    known = [pair for pair in found if pair.quotient.samples]
    if not known:
        return None
    drawn = known[:MOST]
    ends = [row[name] for pair in drawn for row in (pair.torch, pair.jax) for name in ("R", "R_low", "R_high")]
    told = (f"{one.problem}, {one.label}, {one.modes}: {sig(one.torch['R'])} and {sig(one.jax['R'])}" for one in drawn)
    with style("frameworks"):
        figure = Figure(figsize=(7.6, 4.9), layout="constrained")
        axes = figure.subplots()
        for pair in drawn:
            _point(axes, pair)
        _square(axes, [end for end in ends if not isnan(end)])
        _legend(figure, drawn)
        svg = render(figure, "frameworks", f"R in torch and R in jax. {'; '.join(told)}.")
    caption = (
        "Each point is one cell: R in torch across, R in jax up, both logarithmic, bars 95 % intervals. Above the "
        "dotted line R is higher in jax, below it in torch."
    )
    if len(drawn) < len(known):
        caption += f" The first {len(drawn)} of {len(known)} cells are drawn."
    caption += note(row for pair in drawn for row in (pair.torch, pair.jax))
    return Drawing("frameworks", "R in torch and in jax", svg, caption, frame(found))


def _point(axes: Axes, pair: Pair) -> None:
    """One cell with the intervals of both R."""
    shade, pen = colour(pair.label), stroke(pair.torch["runner"])
    x, y = pair.torch, pair.jax
    axes.plot([x["R_low"], x["R_high"]], [y["R"]] * 2, color=shade, linewidth=1.1)
    axes.plot([x["R"]] * 2, [y["R_low"], y["R_high"]], color=shade, linewidth=1.1)
    axes.plot([x["R"]], [y["R"]], color=shade, marker=pen.marker, mfc=shade if pen.filled else "none", **DOT)


def _square(axes: Axes, ends: list[float]) -> None:
    """The same logarithmic range on both axes, and the diagonal."""
    low, high = min([1.0, *ends]) / 1.12, max([1.5, *ends]) * 1.12
    axes.plot([low, high], [low, high], color=FAINT, linewidth=0.8, linestyle=":", zorder=0)
    axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high), aspect="equal", axisbelow=True)
    for axis, name in ((axes.xaxis, "torch"), (axes.yaxis, "jax")):
        axis.set_major_locator(FixedLocator(round_numbers(low, high)))
        axis.set_major_formatter(PLAIN)
        axis.set_minor_locator(NullLocator())
        axis.set_label_text(f"R in {name}, in forwards (logarithmic)")
    axes.grid(True)
    axes.spines[["top", "right"]].set_visible(False)


def _legend(figure: Figure, drawn: list[Pair]) -> None:
    """Colours of the methods, one for all that have none of their own, and the marker of each mode of torch."""
    labels = sorted({pair.label if pair.label in COLOURS else "another method" for pair in drawn}, key=order)
    runners = sorted({pair.torch["runner"] for pair in drawn}, key=place)
    keys = [Line2D([], [], color=colour(name), marker="o", label=name, **DOT) for name in labels]
    for name in runners if len(runners) > 1 else []:
        pen = stroke(name)
        face = INK if pen.filled else "none"
        keys.append(Line2D([], [], color=INK, marker=pen.marker, mfc=face, label=clip(name, 30), **DOT))
    figure.legend(handles=keys, loc="outside right upper")


def frame(found: list[Pair]) -> pd.DataFrame:
    """One row a pair."""
    names = ("R", "R_low", "R_high", "workers", "status", "forward_s", "gradient_s", "peak_bytes", "cell")
    return pd.DataFrame(
        {"problem": pair.problem, "label": pair.label, "options": pair.options, "modes": pair.modes}
        | {f"{row['framework']}_{name}": row[name] for row in (pair.torch, pair.jax) for name in names}
        | columns("R_quotient", pair.quotient)
        | {"peak_quotient": pair.peak, "remark": pair.remark}
        for pair in found
    )
