"""The table: what it shows, and that words of a failure stay words."""

from __future__ import annotations

from pathlib import Path

from bench.gate.judge import Finding
from bench.gate.report import Report, table
from bench.gate.sides import Side

BASE = Side("main", Path("a"), "0123456789abcdef", "d1")
HEAD = Side("b", Path("b"), None, "d2")


def report(*findings: Finding) -> Report:
    cells = frozenset(found.cell for found in findings)
    return Report(BASE, HEAD, findings, (), cells, frozenset(), 6)


def test_words_of_a_failure_are_shown_and_do_nothing() -> None:
    note = "head failed: TypeError: <lambda>() missing `x` | __init__ <img src=x> @someone"
    (line,) = [one for one in table(report(Finding("c", "status", "worse", note=note))).splitlines() if "<img" in one]
    assert line == (
        "| **worse** | `c` | status |  |  | "
        "`head failed: TypeError: <lambda>() missing 'x' \\| __init__ <img src=x> @someone` |"
    )


def test_an_error_that_moved_by_little_shows_that_it_did() -> None:
    shown = table(report(Finding("c", "gradient_error", "worse", 1e-3, 1e-3 * (1 + 1e-8))))
    assert "| 1.0000000000e-03 | 1.0000000100e-03 | +1.0e-06 % |" in shown


def test_both_sides_are_named_by_what_they_are() -> None:
    shown = table(report(Finding("c", "flops", "same", 5, 5)))
    assert "base `0123456789ab` · head `impls-d2` · 0 worse · 0 better · 0 not decided · 1 same" in shown
