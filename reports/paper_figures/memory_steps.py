"""Memory against iterations, unrolled and implicit, beside Theseus's figure 4."""

from __future__ import annotations

from reports.draw import Drawing
from reports.paper_figures.cells import cells, point, setting
from reports.paper_figures.lines import lines
from reports.paper_figures.points import PUBLISHED, Axis, Look, Point
from reports.papers import Papers

THESEUS = {"unrolled": ((2, 34e6), (50, 262e6)), "IFT, Picard": ((2, 33e6), (50, 33e6))}
"""Iterations and bytes at both ends of the figure's lines, read by eye."""

LOOK = Look(
    "papers-memory-steps",
    "Memory against iterations",
    "Peak bytes of one gradient from shapes alone, where one state takes the 4.75 MB that Theseus’s unrolled "
    "optimisation adds an iteration. Published: the two ends of its lines, read by eye, of another program on a GPU.",
    Axis("K (forward steps)", log=False, each=True),
    {"": Axis("peak bytes", log=False, bytes=True, reach=(0,))},
    height=3.6,
)


def memory_steps(papers: Papers) -> Drawing | None:
    """A line a method and framework, and the published ones."""
    ours = [point(row, setting(row, "K"), "peak_bytes") for row in cells(papers, "memory_steps", "peak_bytes")]
    theirs = [
        Point(name, f"{PUBLISHED}, Theseus", K, peak) for name, ends in THESEUS.items() for K, peak in ends if ours
    ]
    return lines(LOOK, [*ours, *theirs])
