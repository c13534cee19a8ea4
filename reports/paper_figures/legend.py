"""The legend of a figure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from reports.draw import INK
from reports.labels import Stroke, colour, place
from reports.numbers import clip
from reports.paper_figures.points import pen

MOST_KEYS = 24
ROOM = 92
"""Letters of a legend that fit in one line, counting each key as eight."""


def legend(
    figure: Figure,
    labels: Sequence[str],
    runners: Iterable[str],
    palette: Mapping[str, str] | None = None,
    strokes: Mapping[str, Stroke] | None = None,
    joined: bool = True,
) -> None:
    """Colours of the labels, then strokes of the runners, above all panels; ``joined``: their points are, by lines."""
    handles = [
        Line2D([], [], color=(palette or {}).get(name, colour(name)), linewidth=3, label=clip(name, 34))
        for name in labels[:MOST_KEYS]
    ]
    for name in sorted(set(runners) - {""}, key=lambda name: (_index(name, strokes), place(name)))[:MOST_KEYS]:
        drawn = pen(name, strokes or {})
        look: dict[str, Any] = {"linestyle": drawn.line if joined else "", "marker": drawn.marker, "markersize": 5}
        face = INK if drawn.filled else "white"
        handles.append(Line2D([], [], color=INK, markerfacecolor=face, label=clip(name, 34), **look))
    if handles:
        letters = sum(len(str(handle.get_label())) + 8 for handle in handles)
        columns = len(handles) if letters <= ROOM else min(len(handles), 4)
        figure.legend(handles=handles, loc="outside upper left", ncols=columns, handlelength=2.4)


def _index(name: str, strokes: Mapping[str, Stroke] | None) -> int:
    """Runners that are no frameworks keep the order of their strokes."""
    names = list(strokes or {})
    return names.index(name) if name in names else len(names)
