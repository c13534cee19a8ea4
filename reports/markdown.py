"""The headline table in Markdown, for a README."""

from __future__ import annotations

from math import isnan

from reports.frames import cells
from reports.headline import Record, groups
from reports.load import Results
from reports.numbers import bounds, milliseconds, sig, size

HEADER = ("problem", "method", "framework", "R [95 %]", "forward", "gradient", "peak bytes", "gradient error")


def table(results: Results) -> str:
    """One line a cell; a failure shows its status and reason in place of R."""
    lines = ["| " + " | ".join(HEADER) + " |", "|" + " --- |" * 3 + " ---: |" * 5]
    for group in groups(cells(results)):
        for name, _, rows in group.methods:
            for row in rows:
                names = [escape(text) for text in (group.title, name, row["runner"])]
                lines.append("| " + " | ".join([*names, *_numbers(row)]) + " |")
    return "\n".join(lines)


def _numbers(row: Record) -> tuple[str, ...]:
    """The last five columns."""
    if isnan(row["R"]):
        ratio = f"{row['status']}: {escape(row['reason'])}"
    else:
        ratio = f"{sig(row['R'])} {bounds(row['R_low'], row['R_high'])}"
    return (
        ratio,
        milliseconds(row["forward_s"]),
        milliseconds(row["gradient_s"]),
        size(row["peak_bytes"]),
        sig(row["gradient_error"]),
    )


def escape(text: str) -> str:
    """Text that ends no cell, starts no link and no tag."""
    text = " ".join(str(text).split())
    for mark in "\\|[]*_`":
        text = text.replace(mark, f"\\{mark}")
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
