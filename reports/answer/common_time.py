"""Cases of timed cells: methods of one problem on one runner, their costs in one unit of time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isnan, nan
from typing import Any

import pandas as pd

from bench.stats import paired
from reports.answer.candidate import FORWARDS, Candidate, Case, ratio
from reports.claims.select import ran
from reports.headline import Record
from reports.numbers import number

Clock = Callable[[str, str], Mapping[int, float]]
"""Of a cell and a column, ``forward_s`` or ``gradient_s``, the median that each worker found, in seconds."""


def clock(samples: pd.DataFrame) -> Clock:
    """The times of a frame of ``reports.frame.samples``."""
    medians = samples.groupby(["cell", "worker"])[["forward_s", "gradient_s"]].median()
    found = dict(list(medians.groupby(level="cell")))

    def times(cell: str, column: str) -> Mapping[int, float]:
        if cell not in found:
            return {}
        workers = found[cell].index.get_level_values("worker")
        return dict(zip(workers.tolist(), found[cell][column].tolist(), strict=True))

    return times


def timed(
    rows: Sequence[Record], times: Clock, source: str, sizes: Mapping[str, Any], hardness: tuple[float, ...]
) -> Case:
    """The case of cells, one or more, of one problem at these sizes on one runner.

    Where all forward solves have one length the cost is R, whose pairs cancel noise. Where lengths differ it is the
    time in forwards of the longest solve: of the cells whose own solve is that long R as well, of the others
    t_gradient ÷ t_forward(longest K), of each worker first. R of those would count in each cell's own forward, and
    flatter long solves.
    """
    having = [row for row in rows if not isnan(row["R"])]
    several = len({steps(row) for row in having}) > 1
    longest = max(having, key=steps) if several else None
    K = None if several else (having or rows)[0]["options"].get("K")
    return Case(
        problem=str(rows[0]["problem"]),
        sizes=sizes if K is None else {**sizes, "K": K},
        runner=ran(rows[0]),
        dtype=str(rows[0]["dtype"]),
        source=source,
        unit=FORWARDS,
        candidates=tuple(_candidate(row, longest, times) for row in having),
        hardness=hardness,
        longest=steps(longest) if longest else nan,
        lost=tuple(f"{row['label']} ({row['status']})" for row in rows if isnan(row["R"])),
    )


def steps(row: Record) -> float:
    """K of a cell's forward solve; 0 for one that has none."""
    found = number(row["options"].get("K"))
    return 0.0 if isnan(found) else found


def _candidate(row: Record, longest: Record | None, times: Clock) -> Candidate:
    if longest is None or steps(row) == steps(longest):
        return Candidate(row, ratio(row))
    return Candidate(row, paired(times(row["cell"], "gradient_s"), times(longest["cell"], "forward_s")))
