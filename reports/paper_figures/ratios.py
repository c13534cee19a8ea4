"""R_b and R_f of the models as published, beside the published numbers."""

from __future__ import annotations

from dataclasses import replace

from matplotlib.axes import Axes

from reports.claims.select import Row, ran, value
from reports.claims.sizes import speed
from reports.draw import FAINT, Drawing
from reports.labels import settings
from reports.numbers import interval, number
from reports.paper_figures.cells import cells, point
from reports.paper_figures.dots import dots
from reports.paper_figures.points import PUBLISHED, Axis, Decoration, Look, Point
from reports.papers import Papers

MLP = {"backprop": (3.971, 4.359), "forward gradient": (2.329, 2.607)}
"""R of figure 4's two rows, 784-1024-1024-10 at batch 64."""

LOOK = Look(
    "papers-ratios",
    "R_b and R_f of the models as published",
    "R is the time of one value-and-gradient call divided by the time of one forward; bars are 95 % t-intervals over "
    "worker processes. Crosses are the published values of the MLP, at two learning rates. The dotted lines are the "
    "flop ratios: the fewest multiplications of the gradient divided by the forward’s, which both modes share.",
    Axis("row"),
    {"": Axis("R, in forwards (logarithmic)", reach=(1,))},
)


def ratios(papers: Papers) -> Drawing | None:
    """A panel a model, a row a method."""
    found = list(cells(papers, "ratios", "R"))
    models = [row for row in found if any(_same(row, one) and _sampled(one) for one in found)]
    points = [point(row, 0.0, "R", panel=_title(row)) for row in models]
    for title in dict.fromkeys(_title(row) for row in models if row["problem"] == "mlp"):
        points += [Point(name, PUBLISHED, 0.0, value, panel=title) for name, both in MLP.items() for value in both]
    drawn = dots(LOOK, points, _Flops(models))
    return drawn and replace(drawn, caption=" ".join([drawn.caption, *_speeds(models), *_axes(found)]))


def _speeds(models: list[Row]) -> list[str]:
    """The flops a second that each model's forward achieves."""
    said: dict[str, list[str]] = {}
    for row in models:
        if row["method"] == "backprop" and (words := speed(row)):
            said.setdefault(str(row["problem"]), []).append(f"{words.removeprefix('forward at ')} ({ran(row)})")
    return [f"Forwards achieve {'; '.join(f'{name} ' + ', '.join(own) for name, own in said.items())}."] if said else []


def _axes(found: list[Row]) -> list[str]:
    """What forward gradient costs along every axis."""
    along: dict[tuple[str, str], list[str]] = {}
    for row in found:
        if row["options"].get("tangents") == "basis":
            measured = f"{interval(number(row['R']), number(row['R_low']), number(row['R_high']))} ({ran(row)})"
            along.setdefault((str(row["problem"]), value(row["options"].get("count"))), []).append(measured)
    return [
        f"Along all n = {count} axes of {problem} forward gradient is exact and takes R = {', '.join(own)}."
        for (problem, count), own in along.items()
    ]


def _same(one: Row, other: Row) -> bool:
    return one["problem"] == other["problem"] and one["sizes"] == other["sizes"]


def _sampled(row: Row) -> bool:
    """Tangents are sampled for the models as published alone."""
    return row["options"].get("tangents") == "gaussian"


def _title(row: Row) -> str:
    return f"{row['problem']}: {settings(row['sizes'])}"


class _Flops(Decoration):
    def __init__(self, models: list[Row]) -> None:
        self._ratios = {_title(row): row["flop_ratio"] for row in models if row["flop_ratio"] is not None}

    def __call__(self, axes: Axes, measure: str, panel: str) -> None:
        axes.axvline(1, color=FAINT, linewidth=0.8, zorder=0)
        if panel in self._ratios:
            axes.axvline(self._ratios[panel], color=FAINT, linewidth=1, linestyle=":", zorder=0)
