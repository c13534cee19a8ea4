"""Cases of the grid: timed cells of one problem at one size on one runner, with forward solves of all lengths."""

from __future__ import annotations

from collections.abc import Callable
from math import isnan
from typing import Any

import pandas as pd

from reports.answer.candidate import Case
from reports.answer.common_time import Clock, timed
from reports.claims.select import ran
from reports.headline import Group, Record, groups
from reports.numbers import number

IMPLICIT = "tanh"
"""The problem of the grid whose γ is varied."""

Hardness = Callable[[Group, list[Record]], tuple[float, ...]]


def explicit(frame: pd.DataFrame, times: Clock) -> list[Case]:
    """Networks that backprop was timed on; the deepest is the hardest, then the one with the slowest forward."""
    found = [group for group in groups(frame) if any(row["method"] == "backprop" for row in group.rows)]
    return [case for group in found for case in split(group, times, "results", _without_adjoint, _depth)]


def layers(frame: pd.DataFrame, times: Clock, low: float = 0.0, high: float = 1.0) -> list[Case]:
    """Timed fixed points with low ≤ γ ≤ high; the greatest γ is the hardest, then the one with the most lengths of the
    forward solve, then the slowest contraction measured."""
    found = [group for group in groups(frame) if group.problem == IMPLICIT]
    found = [group for group in found if low <= number(group.sizes.get("gamma")) <= high]
    return [case for group in found for case in split(group, times, "layers", _every, _contraction)]


def every(frame: pd.DataFrame, times: Clock) -> list[Case]:
    """Every problem at every size, for each runner."""
    return [case for group in groups(frame) for case in split(group, times, "precision", _every, _none)]


def split(group: Group, times: Clock, source: str, wanted: Callable[[Record], bool], hardness: Hardness) -> list[Case]:
    """The cases of a group, one a runner."""
    apart: dict[str, list[Record]] = {}
    for row in group.rows:
        if wanted(row):
            apart.setdefault(ran(row), []).append(row)
    return [
        timed(rows, times, source, group.sizes, (float(group.dtype == "float32"), *hardness(group, rows)))
        for rows in apart.values()
    ]


def _without_adjoint(row: Record) -> bool:
    """Whether a cell has no adjoint: a gradient method alone."""
    return str(row["gradient"]) == str(row["method"])


def _every(row: Record) -> bool:
    return True


def _depth(group: Group, rows: list[Record]) -> tuple[float, ...]:
    return _known(group.sizes.get("depth")), _known(rows[0]["forward_s"])


def _contraction(group: Group, rows: list[Record]) -> tuple[float, ...]:
    lengths = len({_known(row["options"].get("K")) for row in rows})
    return _known(group.sizes.get("gamma")), float(lengths), max(_known(row["spectral_radius"]) for row in rows)


def _none(group: Group, rows: list[Record]) -> tuple[float, ...]:
    return ()


def _known(value: Any) -> float:
    """A number that sorts: what is unknown comes first."""
    found = number(value)
    return -1.0 if isnan(found) else found
