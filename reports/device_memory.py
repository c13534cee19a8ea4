"""A GPU's real memory beside the exact model: a figure along each sweep, a table of the workspace between the two."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from math import isnan, nan
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from reports.draw import Drawing
from reports.labels import colour, order, place, settings
from reports.memory_figures import fixed, panels
from reports.numbers import clip, number, size
from reports.sweeps import UNITS, Line

TITLES = {"depth": "GPU memory against depth", "K": "GPU memory against K"}


@dataclass(frozen=True)
class Workspace:
    """Cells of one method on one device that differ in depth or K at most; the peaks are those of the largest."""

    problem: str
    label: str
    options: str
    runner: str
    device: str
    sizes: str
    model: float
    real: float
    least: float
    most: float


def device_memory(lines: list[Line], axis: str) -> Drawing | None:
    """Real peaks beside the model's along ``axis``; ``None`` where no sweep has them."""
    lines = [line for line in lines if line.on_gpu]
    if not lines:
        return None
    name = f"gpu-peak-by-{axis.lower()}"
    _, svg = panels(lines, axis, name, _draw, "peak bytes of one gradient call", _alt)
    caption = (
        "Solid: the real peak of the device's allocator during one gradient call. Dotted: the exact model, which "
        f"counts arrays alone; between the two lie library workspace and rounding to blocks ({fixed(lines)})."
    )
    return Drawing(name, TITLES[axis], svg, caption, _data(lines))


def workspaces(frame: pd.DataFrame) -> list[Workspace]:
    """The table: one line for all cells that share all but depth and K; empty where nothing was measured on a GPU."""
    rows = frame[frame["device_peak_bytes"].notna()].to_dict("records")
    return [_workspace(list(group)) for _, group in groupby(sorted(rows, key=_key), key=_key)]


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    """What the cells of one line of the table share; also the order of the lines."""
    sizes, options = (settings(row[part], without=tuple(UNITS)) for part in ("sizes", "options"))
    return (row["problem"], sizes, row["dtype"], row["device"], order(row["label"]), options, place(row["runner"]))


def _workspace(rows: list[dict[str, Any]]) -> Workspace:
    """One line of the table."""
    last = max(rows, key=lambda row: [row["device_peak_bytes"], *_place(row)])
    known = [row["workspace_bytes"] for row in rows if not isnan(row["workspace_bytes"])]
    return Workspace(
        problem=last["problem"],
        label=last["label"],
        options=settings(last["options"], without=("linear_solver", "tangents")),
        runner=last["runner"],
        device=last["device"],
        sizes=f"{settings(last['sizes'])}, {last['dtype']}",
        model=last["peak_bytes"],
        real=last["device_peak_bytes"],
        least=min(known, default=nan),
        most=max(known, default=nan),
    )


def _place(row: dict[str, Any]) -> list[float]:
    """Depth and K, 0 where a cell has none."""
    found = (number((row["sizes"] | row["options"]).get(axis)) for axis in UNITS)
    return [0.0 if isnan(value) else value for value in found]


def _draw(axes: Axes, lines: list[Line]) -> None:
    """Real peaks solid with markers, the model dotted; of lines that coincide the lower are wider."""
    for index, line in enumerate(lines):
        shade, text = colour(line.label), clip(line.label, 44)
        above = min(4, sum((one.x, one.device_peak) == (line.x, line.device_peak) for one in lines[index + 1 :]))
        width, marker = 1.6 + 2.2 * above, 5 + 3 * above
        axes.plot(line.x, line.device_peak, color=shade, linewidth=width, marker="o", markersize=marker, label=text)
        axes.plot(line.x, line.peak, color=shade, linestyle=":", linewidth=1.6)


def _alt(lines: list[Line], axis: str) -> str:
    """The figure in words."""
    return f"Real peak bytes on a GPU beside the exact model, against {axis}. " + "; ".join(
        f"{line.title}, {line.label}, {line.runner}: {size(line.device_peak[-1])} beside {size(line.peak[-1])} "
        f"at {line.x[-1]}"
        for line in lines
    )


def _data(lines: list[Line]) -> pd.DataFrame:
    """One row a point."""
    return pd.DataFrame(
        {
            "problem": line.problem,
            "label": line.label,
            "framework": line.framework,
            "mode": line.mode,
            "device": line.device,
            line.axis: x,
            "device_peak_bytes": real,
            "peak_bytes": model,
            "difference_bytes": real - model,
            "sizes": line.fixed,
            "options": line.options,
        }
        for line in lines
        for x, real, model in zip(line.x, line.device_peak, line.peak, strict=True)
    )
