"""From the rows of a file to one line a cell: the ratio with its interval, the exact values, the status."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import asdict

from bench import stats, tables
from bench.cells import Cell
from bench.rows import Row, RunRow, VisitRow, same
from bench.stats import Estimate, centre, worker_ratio


@dataclass
class Summary:
    """What is known of one cell: lists hold one number a worker, ``forward_s`` and ``gradient_s`` are their medians, in
    seconds by the ``clock``, see ``bench.stats.clock``."""

    cell: str
    status: str = "ok"
    reason: str = ""
    clock: str = stats.WALL
    ratios: list[float] = field(default_factory=list)
    forward_s: float | None = None
    gradient_s: float | None = None
    forwards: list[float] = field(default_factory=list)
    gradients: list[float] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def interval(self) -> Estimate | None:
        """R over workers, None where no worker has timed the cell."""
        return centre(self.ratios) if self.ratios else None

    @property
    def traffic_ratio(self) -> float | None:
        """Bytes that the operations of a gradient call move ÷ those of a forward; None where they are unknown, as in
        rows from before they were counted."""
        gradient, forward = self.values.get("traffic"), self.values.get("forward_traffic")
        return gradient / forward if gradient is not None and forward else None

    @property
    def distance(self) -> float | None:
        """R ÷ flop ratio: how far a gradient call is from its fewest flops at the forward's speed."""
        flops = self.values.get("flop_ratio")
        return self.interval.value / flops if self.interval and flops else None


def last_run(rows: Iterable[Row]) -> RunRow:
    """The run that was begun last; ``ValueError`` where there is none."""
    if found := [row for row in rows if isinstance(row, RunRow)]:
        return found[-1]
    raise ValueError("No row describes a run: measure first.")


def _newest(rows: Sequence[Row]) -> list[VisitRow]:
    """The visits that belong with the newest run: same sources, versions, machine and instruments."""
    if not any(isinstance(row, RunRow) for row in rows):
        return []
    return [row for row in same(rows, last_run(rows)) if isinstance(row, VisitRow)]


def summarise(rows: Sequence[Row], cells: Iterable[Cell]) -> list[Summary]:
    """One summary for each of ``cells``; of visits made twice the last good one counts, else the last."""
    kept: dict[tuple[str, str, int], VisitRow] = {}
    for row in _newest(rows):
        if row.key not in kept or row.status == "ok" or kept[row.key].status != "ok":
            kept[row.key] = row
    return [_of(cell, [row for row in kept.values() if row.cell == cell.id]) for cell in cells]


def _of(cell: Cell, rows: list[VisitRow]) -> Summary:
    found = Summary(cell.id)
    found.clock = stats.clock(row.samples for row in rows if row.measure == "time" and row.status == "ok")
    for row in sorted(rows, key=lambda row: (row.measure, row.worker)):
        values = {name: value for name, value in asdict(row.values).items() if value is not None}
        if row.status != "ok":
            if found.status in ("ok", "n/a"):
                found.status, found.reason = row.status, row.reason
        elif row.measure == "exact":
            found.values |= values
        else:
            forward_s, gradient_s = stats.seconds(row.samples, found.clock)
            found.ratios.append(worker_ratio(forward_s, gradient_s))
            found.forwards.append(statistics.median(forward_s))
            found.gradients.append(statistics.median(gradient_s))
            found.values = values | found.values
    if found.forwards:
        found.forward_s, found.gradient_s = statistics.median(found.forwards), statistics.median(found.gradients)
    missing = [measure for measure in cell.measures if not any(row.measure == measure for row in rows)]
    if found.status == "ok" and missing:
        found.status, found.reason = "missing", f"not measured: {', '.join(missing)}"
    return found


HEADER = (
    *("cell", "R", "95 %", "flop ratio", "distance", "traffic ratio", "forward ms", "gradient ms"),
    *("peak bytes", "gradient error", "status"),
)


def table(summaries: Iterable[Summary]) -> str:
    """The summaries as a table in plain text, with the reasons of what failed below it."""
    summaries = list(summaries)
    lines = [HEADER, *(_line(one) for one in summaries)]
    text = tables.text(lines, left=(0, len(HEADER) - 1))
    reasons = [f"{one.status}: {one.cell}: {one.reason}" for one in summaries if one.status != "ok"]
    if by_cpu := [one.cell for one in summaries if one.clock != stats.WALL]:
        many = "1 cell" if len(by_cpu) == 1 else f"{len(by_cpu)} cells"
        reasons.append(f"By the processor's clock, since a worker did not have its core: {many}, such as {by_cpu[0]}.")
    return "\n".join(text + (["", *reasons] if reasons else []))


def _line(one: Summary) -> tuple[str, ...]:
    ratio = low_high = ""
    found = one.interval
    if found:
        ratio, low_high = f"{found.value:.2f}", f"[{found.low:.2f}, {found.high:.2f}]" if found.known else ""
    peak, error, flops = (one.values.get(name) for name in ("peak_bytes", "gradient_error", "flop_ratio"))
    return (
        one.cell,
        ratio,
        low_high,
        *("" if known is None else f"{known:.2f}" for known in (flops, one.distance, one.traffic_ratio)),
        "" if one.forward_s is None else f"{1e3 * one.forward_s:.3f}",
        "" if one.gradient_s is None else f"{1e3 * one.gradient_s:.3f}",
        "" if peak is None else f"{peak}",
        "" if error is None else f"{error:.2e}",
        one.status,
    )
