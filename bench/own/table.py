"""A comparison as a table of texts: at most three digits, units, a word for a failure, the reasons under it."""

from __future__ import annotations

from html import escape
from typing import Any

from bench import tables

HEAD = ("method", "R [95 %]", "forward", "gradient", "peak", "held", "flop ratio", "gradient error", "cosine")


def text(frame: Any, numbers: Any) -> str:
    """As plain text. numbers: the module that words them, ``reports.numbers``."""
    return "\n".join([*tables.text([HEAD, *_cells(frame, numbers)]), *_reasons(frame)])


def markup(frame: Any, numbers: Any) -> str:
    """As HTML, every text escaped."""
    lines = ["".join(f"<th>{escape(one)}</th>" for one in HEAD)]
    lines += ["".join(f"<td>{escape(one)}</td>" for one in row) for row in _cells(frame, numbers)]
    under = "".join(f"<p>{escape(one)}</p>" for one in _reasons(frame))
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + f"</table>{under}"


def _cells(frame: Any, numbers: Any) -> list[tuple[str, ...]]:
    return [
        (
            row["method"],
            numbers.interval(row["R"], row["R_low"], row["R_high"]) if row["status"] == "ok" else row["status"],
            numbers.milliseconds(row["forward_ms"] / 1e3),
            numbers.milliseconds(row["gradient_ms"] / 1e3),
            numbers.size(row["peak_bytes"]),
            numbers.size(row["held_bytes"]),
            *(numbers.sig(row[name]) for name in ("counted_flop_ratio", "gradient_error", "cosine")),
        )
        for row in frame.to_dict("records")
    ]


def _reasons(frame: Any) -> list[str]:
    """One line for each reason, with the methods that share it."""
    shared: dict[str, list[str]] = {}
    for row in frame.to_dict("records"):
        if row["reason"]:
            shared.setdefault(row["reason"], []).append(row["method"])
    return [f"{', '.join(names)}: {reason}" for reason, names in shared.items()]
