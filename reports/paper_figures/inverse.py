"""The implicit gradient by a dense solve and without a matrix: time and bytes against the width."""

from __future__ import annotations

from dataclasses import replace

from reports.draw import Drawing
from reports.paper_figures.cells import cells, point, setting
from reports.paper_figures.lines import lines
from reports.paper_figures.points import Axis, Look
from reports.papers import Papers

LOOK = Look(
    "papers-inverse",
    "Dense and matrix-free solves",
    "Time of one gradient with its forward solve (median over worker processes), and the bytes that it newly allocates "
    "at its peak; all axes are logarithmic. One sample; bytes of the widest layers are found from shapes alone.",
    Axis("width n", each=True),
    {"gradient_s": Axis("milliseconds"), "peak_bytes": Axis("peak bytes", bytes=True)},
    height=3.2,
)


def inverse(papers: Papers) -> Drawing | None:
    """Time on the left, bytes on the right; a line a linear solver and framework."""
    found = [
        point(row, setting(row, "width"), column, measure=column)
        for column in LOOK.measures
        for row in cells(papers, "inverse", column)
    ]
    return lines(LOOK, [replace(one, y=1e3 * one.y) if one.measure == "gradient_s" else one for one in found])
