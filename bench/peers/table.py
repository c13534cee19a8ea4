"""What a run came to, in plain text: of each framework and contender the ratio ours ÷ contender over the cells."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bench.rows import PartRow
from bench.stats import centre

HEADER = ("contender", "ours ÷ it", "largest", "[95 %]", "in the cell", "cells", "failed", "n/a")
NOTE = (
    "ours ÷ it: seconds of ours of the same method over its own, the median over workers, then over cells.\n"
    "failed: cells where it missed the gradient error or raised, which the median leaves out."
)


def table(rows: Iterable[PartRow]) -> str:
    """A block a framework; one row a cell and worker."""
    rows = [row for row in rows if row.status == "ok"]
    blocks = []
    for framework in dict.fromkeys(row.framework for row in rows):
        found: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
        for record in (one for row in rows if row.framework == framework for one in row.records):
            if "contender" in record:  # others are of another experiment, in a file that is none of the peers'
                found.setdefault(str(record["contender"]), {}).setdefault(str(record["cell"]), []).append(record)
        blocks.append(aligned([(framework, *HEADER[1:]), *(_line(name, cells) for name, cells in found.items())]))
    return "\n\n".join([*blocks, NOTE])


def _line(name: str, cells: Mapping[str, Sequence[Mapping[str, Any]]]) -> tuple[str, ...]:
    """One contender."""
    ratios = {cell: [one["ratio"] for one in records if one.get("ratio")] for cell, records in cells.items()}
    timed = {cell: centre(values) for cell, values in ratios.items() if values}
    statuses = [next((one["status"] for one in records if one["status"] != "ok"), "ok") for records in cells.values()]
    counts = (str(len(cells)), str(statuses.count("failed")), str(statuses.count("n/a")))
    if not timed:
        return name, "", "", "", "", *counts
    worst = max(timed, key=lambda cell: timed[cell].value)
    dearest = timed[worst]
    reach = f"[{dearest.low:.2f}, {dearest.high:.2f}]" if dearest.known else ""
    over = statistics.median(one.value for one in timed.values())
    return name, f"{over:.2f}", f"{dearest.value:.2f}", reach, worst, *counts


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Columns two spaces apart, words flush left and numbers right."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    left = {0, 3, 4}
    return "\n".join(
        "  ".join(
            word.ljust(width) if column in left else word.rjust(width)
            for column, (word, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
