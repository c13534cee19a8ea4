"""The A/A control: R of one half of the pairs of a visit ÷ R of the other half, which is 1 but for noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from scipy import stats

from bench.stats import t_quantile
from reports.draw import FAINT, INK, Drawing, render, style
from reports.labels import settings
from reports.load import IDENTITY
from reports.numbers import interval
from reports.part import Part

WORST = 10
"""Cells in the table, those furthest from 1."""
MOST = 400
"""Intervals in one panel of the figure."""
WIDEST = 4.0
"""Quotients beyond this, and below its inverse, leave the figure."""
MISSED = "#b3261e"
LEVEL = 0.95
WHO = ["cell", *IDENTITY]

SPLITS = {"same": (4, "1, 2, 5, 6, … ÷ 0, 3, 4, 7, …"), "order": (2, "odd ÷ even")}
"""How pairs, counted from 0, are halved: in blocks of how many, and in words. Even pairs call the gradient first, odd
ones the forward: ``order`` tells what the order of calls does, ``same`` has as many of either order in each half."""


@dataclass(frozen=True)
class Control:
    """One way to halve visits. frame: one row a cell, furthest from 1 first."""

    split: str
    frame: pd.DataFrame

    @property
    def known(self) -> pd.DataFrame:
        """The cells with an interval."""
        return self.frame[self.frame["low"].notna()]

    @property
    def missed(self) -> int:
        """Intervals without 1 in them."""
        return int(self.known["missed"].sum())

    @property
    def expected(self) -> tuple[int, int]:
        """How many of these chance alone gives in 95 % of all runs, were the cells independent."""
        low, high = stats.binom.interval(LEVEL, max(len(self.known), 1), 1 - LEVEL)
        return int(low), int(high)

    @property
    def verdict(self) -> str:
        """How the misses compare with chance."""
        low, high = self.expected
        return "more than" if self.missed > high else "what" if self.missed >= low else "fewer than"

    @property
    def spread(self) -> float:
        """Median distance of the quotients from 1, in percent."""
        return 100 * float((self.frame["quotient"] - 1).abs().median())

    @property
    def middle(self) -> float:
        """Median quotient."""
        return float(self.frame["quotient"].median())

    @property
    def worst(self) -> list[dict[str, Any]]:
        """The rows of the table."""
        return self.frame[:WORST].to_dict("records")


def part(samples: pd.DataFrame) -> Part | None:
    """The part of the page, from one row a pair (``reports.frame.samples``); ``None`` where no visit has two pairs."""
    found = {split: Control(split, quotients(samples, split)) for split in SPLITS}
    found = {split: one for split, one in found.items() if len(one.frame)}
    if not found:
        return None
    drawn = [one for one in found.values() if len(one.known)]
    tables = {f"control-{split}": one.frame for split, one in found.items()}
    figures = (drawing(drawn),) if drawn else ()
    return Part("control", "A/A control", "control.html.j2", found, figures, tables)


def quotients(samples: pd.DataFrame, split: str) -> pd.DataFrame:
    """One row a cell: ``quotient`` with ``low`` and ``high`` (95 %), ``missed`` (1 is outside), ``workers``.

    Only whole blocks of pairs count, so that both halves of a visit are of one size and equally early. Of each worker
    q = median log R of the one half − median log R of the other; over n workers the interval is exp(m ± t·s/√n) with
    mean m and sd s, as for R itself.
    """
    size, _ = SPLITS[split]
    side = samples["pair"] % 2 if split == "order" else (samples["pair"] + 1) // 2 % 2
    pairs = samples[[*WHO, "worker"]].assign(
        log=np.log(samples["R"].astype(float)), block=samples["pair"] // size, side=side
    )
    whole = pairs.groupby([*WHO, "worker", "block"], dropna=False)["log"].transform("size") == size
    if not whole.any():
        return pd.DataFrame(columns=[*WHO, "quotient", "low", "high", "missed", "workers"])
    halves = pairs[whole].groupby([*WHO, "worker", "side"], sort=False, dropna=False)["log"].median()
    one, other = (halves.xs(half, level="side") for half in (1, 0))
    found = (one - other).groupby(level=WHO, sort=False, dropna=False).agg(m="mean", sd="std", workers="count")
    free = found["workers"].where(found["workers"] > 1) - 1
    half = t_quantile(free, LEVEL) * found["sd"] / np.sqrt(found["workers"])
    # Damaged files hold ratios whose interval is beyond what a float can be.
    ends = {"quotient": found["m"], "low": found["m"] - half, "high": found["m"] + half}
    found = found.assign(**{name: np.exp(np.clip(end, -700, 700)) for name, end in ends.items()})
    found["missed"] = (found["low"] > 1) | (found["high"] < 1)
    named = samples.drop_duplicates(WHO).set_index(WHO)[["label", "runner", "sizes", "options"]]
    texts = {"sizes": (), "options": ("linear_solver", "tangents")}
    named = named.assign(**{name: [settings(one, told) for one in named[name]] for name, told in texts.items()})
    found = found.join(named).reset_index()
    order = np.argsort(-found["m"].abs().to_numpy(), kind="stable")
    return found.iloc[order].drop(columns=["m", "sd"]).reset_index(drop=True)


def drawing(controls: list[Control]) -> Drawing:
    """Every interval, from the lowest quotient to the highest; those that miss 1 by colour and marker."""
    with style("control"):
        figure = Figure(figsize=(8.4, 0.5 + 2.3 * len(controls)), layout="constrained")
        panels = figure.subplots(len(controls), 1, squeeze=False)[:, 0]
        for axes, one in zip(panels, controls, strict=True):
            _panel(axes, one)
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", ncols=2)
        svg = render(figure, "control", " ".join(["A/A control.", *map(_alt, controls)]))
    caption = "R of one half of the pairs ÷ R of the other half, one cell a line, with its 95 % interval."
    if any(len(one.known) > MOST for one in controls):
        caption += f" {MOST} cells of more are drawn, evenly picked."
    data = pd.concat([one.known.assign(split=SPLITS[one.split][1]) for one in controls])
    return Drawing("control", "R of one half of the pairs ÷ R of the other", svg, caption, data)


def _alt(one: Control) -> str:
    worst = (
        f"{row['problem']}, {row['label']}, {row['runner']} {interval(row['quotient'], row['low'], row['high'])}"
        for row in one.worst
    )
    start = f"Pairs {SPLITS[one.split][1]}: {one.missed} of {len(one.known)} intervals miss 1; furthest from 1: "
    return f"{start}{'; '.join(worst)}."


def _panel(axes: Axes, one: Control) -> None:
    ordered = one.known.sort_values("quotient", kind="stable")
    drawn = ordered.iloc[np.unique(np.linspace(0, len(ordered) - 1, MOST).round().astype(int))]
    places = np.arange(len(drawn))
    for missed, shade, marker in ((False, FAINT, "o"), (True, MISSED, "s")):
        ours = (drawn["missed"] == missed).to_numpy()
        axes.vlines(places[ours], drawn["low"][ours], drawn["high"][ours], color=shade, linewidth=1)
        look: dict[str, Any] = {"marker": marker, "markersize": 4 if missed else 2.5, "linestyle": ""}
        label = "misses 1" if missed else "holds 1"
        axes.plot(places[ours], drawn["quotient"][ours], color=shade, label=label, **look)
    axes.axhline(1, color=INK, linewidth=0.8, linestyle=":")
    end = float(np.clip(np.maximum(drawn["high"], 1 / drawn["low"]).max() * 1.005, 1.01, WIDEST))
    axes.set(yscale="log", ylim=(1 / end, end), xlabel="cells, by quotient", ylabel="quotient − 1", xticks=[])
    axes.set_title(f"pairs {SPLITS[one.split][1]}")
    step = next(one * 10.0**power for power in range(-3, 1) for one in (1, 2, 5) if (end - 1) / 3 <= one * 10.0**power)
    axes.yaxis.set_major_locator(FixedLocator([1 + k * step for k in range(-3, 4) if 1 / end <= 1 + k * step <= end]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * (value - 1):+.3g} %" if value != 1 else "0"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.grid(axis="y")
    axes.spines[["top", "right"]].set_visible(False)
