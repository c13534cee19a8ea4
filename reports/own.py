"""The part on models of the reader's own: rows that ``gradratio.compare`` measured and saved."""

from __future__ import annotations

from reports.figures import ratios
from reports.frame import plain
from reports.grid import grid
from reports.load import Results
from reports.part import Part


def part(results: Results) -> Part:
    """Time, memory and error of every method on every model of the rows, under the same headings as the suite's own."""
    found = grid(results)
    drawing = ratios(found.groups, "own-ratios")
    tables = {"own-cells": plain(found.frame)}
    return Part("own", "Your own model", "own.html.j2", found, (drawing,) if drawing else (), tables, "Your model")
