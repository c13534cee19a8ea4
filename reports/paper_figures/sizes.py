"""R of an MLP over width and batch, against how many flops a second its forward achieves."""

from __future__ import annotations

from matplotlib.axes import Axes

from reports.claims.select import Row
from reports.draw import Drawing
from reports.numbers import number
from reports.paper_figures.cells import cells, named, point, setting
from reports.paper_figures.lines import lines
from reports.paper_figures.points import Axis, Decoration, Look
from reports.papers import Papers

LOOK = Look(
    "papers-sizes",
    "R over width and batch",
    "MLPs of equal layers, from calls that take as long to dispatch as to compute (left) to those where matrix "
    "products dominate (right): x is the flops of one forward divided by its time, a panel a batch, a point a width. "
    "The grey band holds the flop ratios, the same for both modes. Bars are 95 % intervals.",
    Axis("Gflop/s of the forward (logarithmic)"),
    {"R": Axis("R, in forwards", reach=(1,))},
    columns=3,
)


def sizes(papers: Papers) -> Drawing | None:
    """A panel a batch; points run along the width."""
    found = [row for row in cells(papers, "ratios", "R") if _grid(row)]
    found.sort(key=lambda row: (setting(row, "batch"), setting(row, "width")))
    points = [
        point(row, rate, "R", measure="R", panel=f"batch {setting(row, 'batch'):g}")
        for row in found
        for rate in [1e-9 * number(row["forward_flops"]) / number(row["forward_s"])]
    ]
    return lines(LOOK, points, _Flops(found))


def _grid(row: Row) -> bool:
    """As many inputs as units, and no sampling: what the grid of widths and batches has."""
    return (
        row["problem"] == "mlp"
        and setting(row, "inputs") == setting(row, "width")
        and named(row) in ("backprop", "forward gradient, tangents given")
    )


class _Flops(Decoration):
    """A grey band from the least flop ratio to the greatest: narrow, since only the last layer's share varies."""

    def __init__(self, found: list[Row]) -> None:
        self._ratios = [one for one in (number(row["flop_ratio"]) for row in found) if one == one]

    def __call__(self, axes: Axes, measure: str, panel: str) -> None:
        if self._ratios:
            low, high = min(self._ratios), max(self._ratios)
            axes.axhspan(low / 1.01, high * 1.01, color="#dfe3e6", linewidth=0, zorder=0)
