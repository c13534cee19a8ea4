"""What a figure of an experiment is made of: points with their intervals, and how each quantity is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite, nan

import pandas as pd
from matplotlib.axes import Axes

from reports.below_one import NO_UNIT
from reports.labels import Stroke, order, stroke
from reports.numbers import sig

LARGEST = 1e30

MOST_DOUBTS = 4
"""Points without a unit that a caption names."""

PUBLISHED = "published"
"""The runner of points that come from a document: they are drawn beside ours and are no measurement."""


@dataclass(frozen=True)
class Point:
    """One measured or published number. measure: which quantity it is, a key of ``Look.measures``; panel: the title of
    its panel; runner: what ran it; low, high: its 95 % interval, NaN where there is none; doubt: sentences on why the
    number says nothing."""

    label: str
    runner: str
    x: float
    y: float
    low: float = nan
    high: float = nan
    panel: str = ""
    measure: str = ""
    doubt: str = ""


@dataclass(frozen=True)
class Axis:
    """How a quantity is shown. log: logarithmic, where only positive numbers have a place. bytes: in B, kB, MB, …
    each: a tick at every value there is. reach: values that are to be in view besides."""

    label: str
    log: bool = True
    bytes: bool = False
    each: bool = False
    reach: Sequence[float] = ()

    def shows(self, value: float) -> bool:
        """Whether a value has a place on the axis; there are numbers that no experiment has and no axis can hold."""
        return isfinite(value) and abs(value) <= LARGEST and (value >= 1 / LARGEST or not self.log)


@dataclass(frozen=True)
class Look:
    """Name, words and axes of a figure. palette: colours by label, in the order of the legend, where labels are no
    methods; strokes: lines by runner, where runners are no frameworks; columns, height: panels in a row, and inches of
    each."""

    name: str
    title: str
    caption: str
    x: Axis
    measures: Mapping[str, Axis]
    palette: Mapping[str, str] = field(default_factory=dict)
    strokes: Mapping[str, Stroke] = field(default_factory=dict)
    columns: int = 2
    height: float = 2.7


class Decoration:
    """What a figure draws into a panel besides its points."""

    def __call__(self, axes: Axes, measure: str, panel: str) -> None:
        """Nothing, unless a figure says otherwise."""


PLAIN = Decoration()


def pen(runner: str, strokes: Mapping[str, Stroke]) -> Stroke:
    """Marker and line of what ran a point; a framework looks the same on every device."""
    if runner.startswith(PUBLISHED):
        return Stroke("X", ":", True)
    return strokes.get(runner) or stroke(runner.partition(" on ")[0] or "torch")


def labels(points: Sequence[Point], palette: Mapping[str, str]) -> list[str]:
    """The labels of points in the order of the legend."""
    names = list(palette)
    place = (lambda name: (names.index(name) if name in names else len(names), name)) if names else order
    return sorted({point.label for point in points}, key=place)


def caption(look: Look, points: Sequence[Point]) -> str:
    """The words of a look, then which of its points say nothing, and why."""
    low = [one for one in points if one.doubt]
    if not low:
        return look.caption
    told = [", ".join(filter(None, (one.panel, one.label, one.runner))) + f" {sig(one.y)}" for one in low]
    more = f"; and {len(told) - MOST_DOUBTS} more" if len(told) > MOST_DOUBTS else ""
    why = " ".join(dict.fromkeys(one.doubt for one in low))
    return f"{look.caption} R {NO_UNIT}: {'; '.join(told[:MOST_DOUBTS])}{more}. {why}"


def table(points: Sequence[Point], look: Look) -> pd.DataFrame:
    """The points as the data of a figure."""
    return pd.DataFrame(
        {
            "panel": point.panel,
            "quantity": look.measures[point.measure].label,
            "label": point.label,
            "runner": point.runner,
            "x": point.x,
            "value": point.y,
            "low": point.low,
            "high": point.high,
        }
        for point in points
    ).rename(columns={"x": look.x.label})
