"""Sweeps: exact visits that differ in one number alone, the depth or K, as lines with their slopes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from math import isnan
from typing import Any

import pandas as pd

from reports.labels import order, place, settings
from reports.slopes import Slope, activation_bytes, describe, parts, slope

UNITS = {"depth": "layer", "K": "step"}
POINTS = 3
"""A sweep needs at least so many points; two would always lie on a line."""


@dataclass(frozen=True)
class Line:
    """Peak bytes of one method in one framework along a sweep."""

    axis: str
    framework: str
    mode: str
    problem: str
    label: str
    fixed: str
    options: str
    dtype: str
    device: str
    runner: str
    cells: list[str]
    x: list[int]
    peak: list[int]
    forward: list[float]
    parameters: list[float]
    device_peak: list[float]
    """Real peaks of a GPU's allocator, beside ``peak``, which is the exact model; NaN elsewhere."""
    slope: Slope
    words: str
    copies: int
    """How many copies of one unit's weights the slope holds; the dotted line is the peak without them."""

    @property
    def title(self) -> str:
        """The problem, with the place where it ran, or that it ran nowhere."""
        return self.problem + {"cpu": "", "meta": " from shapes alone"}.get(self.device, f" on {self.device}")

    @property
    def on_gpu(self) -> bool:
        """Whether real peaks of a device stand beside the model's."""
        return any(peak > 0 for peak in self.device_peak)

    @property
    def panel(self) -> tuple[str, str, str, str]:
        """What lines of one panel row share."""
        return (self.problem, self.fixed, self.dtype, self.device)

    @property
    def without_weights(self) -> list[float]:
        """Peak bytes less the copies of the weights that explain their growth."""
        return [peak - self.copies * weights for peak, weights in zip(self.peak, self.parameters, strict=True)]


def sweeps(frame: pd.DataFrame, axis: str) -> list[Line]:
    """The lines over ``axis`` ("depth" among the sizes, or "K" among the options), sorted for a legend."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in frame.to_dict("records"):
        x = row["sizes" if axis == "depth" else "options"].get(axis)
        if isinstance(x, int) and not isinstance(x, bool) and x > 0 and row["peak_bytes"] > 0:
            groups.setdefault(_key(row, axis), []).append(row | {"x": x})
    lines = [_line(axis, rows) for rows in groups.values() if len({row["x"] for row in rows}) >= POINTS]
    return sorted(
        lines,
        key=lambda line: (
            line.panel,
            order(line.label),
            line.options,
            place(line.runner),
        ),
    )


def _key(row: dict[str, Any], axis: str) -> str:
    """All that points of one line share."""
    named = [row[name] for name in ("framework", "mode", "device", "dtype", "seed", "problem", "label")]
    varied = {name: {key: value for key, value in row[name].items() if key != axis} for name in ("sizes", "options")}
    return json.dumps([named, varied], sort_keys=True, default=str)


def _line(axis: str, rows: list[dict[str, Any]]) -> Line:
    """One line, its points in order."""
    rows = sorted({row["x"]: row for row in rows}.values(), key=lambda row: row["x"])
    first, xs = rows[0], [row["x"] for row in rows]
    peak, weights = [int(row["peak_bytes"]) for row in rows], [row["parameter_bytes"] for row in rows]
    found = slope(xs, peak, UNITS[axis])
    of_weights = Fraction(0)
    if not any(map(isnan, weights)):
        grown = slope(xs, [int(value) for value in weights], UNITS[axis])
        of_weights = grown.exact or Fraction(0)
    activation = activation_bytes(first["sizes"], first["dtype"])
    explained = parts(found.exact, activation, of_weights) if found.exact is not None else None
    return Line(
        axis=axis,
        framework=first["framework"],
        mode=first["mode"],
        problem=first["problem"],
        label=first["label"],
        fixed=settings(first["sizes"], without=(axis,)),
        options=settings(first["options"], without=(axis, "linear_solver", "tangents")),
        dtype=first["dtype"],
        device=first["device"],
        runner=first["runner"],
        cells=[row["cell"] for row in rows],
        x=xs,
        peak=peak,
        forward=[row["forward_peak_bytes"] for row in rows],
        parameters=weights,
        device_peak=[row["device_peak_bytes"] for row in rows],
        slope=found,
        words=describe(found, activation, of_weights),
        copies=explained[1] if explained else 0,
    )
