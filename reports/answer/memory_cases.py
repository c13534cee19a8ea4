"""Cases of memory: the methods along one sweep of depth or K, at the largest point that all of them reach."""

from __future__ import annotations

from math import isnan

import pandas as pd

from bench.stats import exactly
from reports.answer.candidate import BYTES, Candidate, Case
from reports.claims.select import ran
from reports.headline import Record
from reports.numbers import number
from reports.sweeps import Line, sweeps


def along(frame: pd.DataFrame, axis: str) -> list[Case]:
    """Costs are the peak bytes beyond the forward's, exact; the sweep that reaches furthest is the hardest.

    Cells computed from shapes alone have no gradient, so their error is unknown: they are no cases.
    """
    rows = {(row["cell"], row["runner"]): row for row in frame.to_dict("records")}
    apart: dict[tuple[object, ...], list[Line]] = {}
    for line in sweeps(frame, axis):
        if line.device != "meta":
            apart.setdefault((*line.panel, line.runner), []).append(line)
    found = []
    for lines in apart.values():
        shared = set.intersection(*(set(line.x) for line in lines))
        if shared:
            found.append(_case(max(shared), lines, [_at(line, max(shared), rows) for line in lines]))
    return found


def _at(line: Line, x: int, rows: dict[tuple[str, str], Record]) -> Record:
    return rows[line.cells[line.x.index(x)], line.runner]


def _case(x: int, lines: list[Line], rows: list[Record]) -> Case:
    first = rows[0]
    sizes = first["sizes"] if lines[0].axis == "depth" else {**first["sizes"], lines[0].axis: x}
    return Case(
        problem=first["problem"],
        sizes=sizes,
        runner=ran(first),
        dtype=first["dtype"],
        source=f"memory/{lines[0].axis}",
        unit=BYTES,
        candidates=tuple(found for found in map(_candidate, rows) if not isnan(found.cost.value)),
        hardness=(float(x),),
    )


def _candidate(row: Record) -> Candidate:
    return Candidate(row, exactly(number(row["peak_bytes"]) - number(row["forward_peak_bytes"])))
