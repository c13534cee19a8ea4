"""Cases of the papers' experiment on work and precision, for situations in which the grid has none."""

from __future__ import annotations

import json

from bench.rows import RunRow
from reports.answer.candidate import Case
from reports.answer.common_time import timed
from reports.claims.select import Row, ran, rows
from reports.labels import place
from reports.numbers import number
from reports.paper_figures.cells import setting
from reports.papers import Papers

EXPERIMENT = "work_precision"


def layers(papers: Papers | None, low: float = 0.0, high: float = 1.0) -> list[Case]:
    """One case a γ from ``low`` to ``high`` and runner."""
    if papers is None:
        return []
    apart: dict[tuple[float, tuple[int, str], str], list[Row]] = {}
    for row in rows(papers.cells(EXPERIMENT)):
        gamma = setting(row, "gamma")
        if low <= gamma <= high:
            alike = json.dumps([row["dtype"], row["seed"], row["sizes"]], sort_keys=True, default=str)
            apart.setdefault((gamma, place(ran(row)), alike), []).append(_numbers(row))
    return [
        timed(ours, papers.by_worker, "papers", ours[0]["sizes"], (float(ours[0]["dtype"] == "float32"), gamma))
        for (gamma, _, _), ours in sorted(apart.items())  # the keys decide, since no two are equal
    ]


def same_machine(papers: Papers, run: RunRow) -> bool:
    """Whether the papers' experiments ran on the machine, and with the versions, of another run: only then may their
    times stand in for its own."""
    return papers.run.machine == run.machine and papers.run.versions == run.versions


def _numbers(row: Row) -> Row:
    """The row with NaN for numbers that are missing, as ``frame.cells`` has them."""
    named = ("R", "R_low", "R_high", "workers", "gradient_error", "peak_bytes", "forward_peak_bytes", "parameters")
    return row | {name: number(row[name]) for name in named}
