"""Seconds of a training step under each Jacobian-based adjoint, in steps of JFB."""

from __future__ import annotations

from matplotlib.axes import Axes

from reports.claims import steps
from reports.claims.queries.epochs import NAMES, solver
from reports.claims.select import groups, having, named
from reports.draw import FAINT, Drawing
from reports.labels import COLOURS
from reports.paper_figures.dots import dots
from reports.paper_figures.points import Axis, Decoration, Look, Point
from reports.papers import Papers

PUBLISHED = {"MNIST": 1.61, "SVHN": 2.51, "CIFAR-10": 3.62}
"""Table 2: seconds of an epoch, Jacobian-based ÷ JFB."""

LOOK = Look(
    "papers-epochs",
    "Seconds of a training step, in steps of JFB",
    "Median over worker processes of a step’s seconds divided by those of a JFB step in the same process, with 95 % "
    "intervals. Dotted: the published ratios, whose Jacobian-based method solves the normal equations by conjugate "
    "gradients.",
    Axis("row"),
    {"": Axis("seconds ÷ seconds of JFB (logarithmic)", reach=(1, *PUBLISHED.values()))},
    palette={name.removeprefix("IFT, "): shade for name, shade in COLOURS.items()},
)


class _Published(Decoration):
    def __call__(self, axes: Axes, measure: str, panel: str) -> None:
        axes.axvline(1, color=FAINT, linewidth=0.8, zorder=0)
        for name, ratio in PUBLISHED.items():
            axes.axvline(ratio, color=FAINT, linewidth=1, linestyle=":", zorder=0)
            axes.annotate(
                name,
                (ratio, 1),
                (2, -2),
                xycoords=axes.get_xaxis_transform(),
                textcoords="offset points",
                va="top",
                fontsize=7.5,
                color=FAINT,
            )


def epochs(papers: Papers) -> Drawing | None:
    """A panel a data set, γ and tolerance, a row an adjoint."""
    found = []
    timed = having(named(papers.records("epochs")), "seconds")
    for where, records in groups(timed, "data", *NAMES, "framework"):
        panel = ", ".join([where.get("data", ""), *(f"{NAMES[name]} {where[name]}" for name in NAMES if name in where)])
        for method in dict.fromkeys(map(str, records["method"])) if "method" in records.columns else ():
            if method != "jfb":
                value, low, high = steps.ratio(records, method, "jfb")[:3]
                found.append(Point(solver(method), where.get("framework", ""), 0.0, value, low, high, panel=panel))
    return dots(LOOK, found, _Published())
