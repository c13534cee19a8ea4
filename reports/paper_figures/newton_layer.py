"""A layer that Newton's method solves: bytes held for the backward pass, and R, against its iterations."""

from __future__ import annotations

from reports.draw import Drawing
from reports.paper_figures.cells import cells, point, setting
from reports.paper_figures.lines import lines
from reports.paper_figures.points import Axis, Look
from reports.papers import Papers

LOOK = Look(
    "papers-newton-layer",
    "A Newton layer, unrolled and implicit",
    "Unrolled, every iteration leaves a factored n × n matrix a sample to be differentiated; implicitly one is enough. "
    "Bytes are exact; R has 95 % intervals over worker processes.",
    Axis("K (Newton iterations)", log=False, each=True),
    {"held_bytes": Axis("bytes held for the backward pass", bytes=True), "R": Axis("R, in forwards", reach=(1,))},
    height=3.2,
)


def newton_layer(papers: Papers) -> Drawing | None:
    """Bytes on the left, R on the right; a line a method and framework."""
    found = [
        point(row, setting(row, "K"), column, measure=column)
        for column in LOOK.measures
        for row in cells(papers, "newton_layer", column)
    ]
    return lines(LOOK, found)
