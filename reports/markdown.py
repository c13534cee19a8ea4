"""The headline table in Markdown, for a README."""

from __future__ import annotations

from math import isnan

from reports.below_one import NO_UNIT, no_unit
from reports.frame import cells
from reports.headline import Record, groups
from reports.load import Results
from reports.numbers import bounds, milliseconds, sig, size
from reports.tables import escape, markdown

NAMES = ("problem", "method", "framework", "R [95 %]")
WORK = ("flop ratio", "R ÷ flop ratio")
TRAFFIC = "traffic ratio"
COSTS = ("forward", "gradient", "peak bytes", "gradient error")


def table(results: Results) -> str:
    """One line a cell, with its options where a method stands twice; a failure shows its status and reason in place of
    R. The column of traffic is there where any cell has it."""
    found = groups(cells(results))
    work = WORK + (TRAFFIC,) * any(group.moved for group in found)
    lines: list[tuple[str, ...]] = []
    for group in found:
        twice = [name for name, _, _ in group.methods]
        for name, chosen, rows in group.methods:
            shown = f"{name} ({chosen})" if twice.count(name) > 1 else name
            for row in rows:
                names = [escape(text) for text in (group.title, shown, row["runner"])]
                work_done = [sig(row[column]) for column in ("flop_ratio", "distance", "traffic_ratio")][: len(work)]
                lines.append((*names, _ratio(row), *work_done, *_costs(row)))
    return "\n".join(markdown((*NAMES, *work, *COSTS), lines, left=(0, 1, 2)))


def _ratio(row: Record) -> str:
    if isnan(row["R"]):
        return f"{row['status']}: {escape(row['reason'])}"
    doubt = f" ({NO_UNIT})" if no_unit(row) else ""
    return f"{sig(row['R'])} {bounds(row['R_low'], row['R_high'])}{doubt}"


def _costs(row: Record) -> tuple[str, ...]:
    """The last four columns."""
    return (
        milliseconds(row["forward_s"]),
        milliseconds(row["gradient_s"]),
        size(row["peak_bytes"]),
        sig(row["gradient_error"]),
    )
