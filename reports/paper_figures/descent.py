"""Where the JFB direction descends: affine maps over γ and κ, and networks as initialised."""

from __future__ import annotations

import seaborn as sns
from matplotlib.axes import Axes

from reports.claims.select import groups, having, numbers, only
from reports.draw import Drawing
from reports.labels import Stroke
from reports.paper_figures.axes import across
from reports.paper_figures.dots import dots
from reports.paper_figures.lines import lines
from reports.paper_figures.points import Axis, Decoration, Look, Point
from reports.papers import Papers

ENOUGH, FEWER = "no fewer parameters than states", "fewer parameters"
SHADES = sns.color_palette("viridis_r", 7).as_hex()[1:]
GAMMAS = ("0.1", "0.3", "0.5", "0.7", "0.9", "0.99")
PALETTE = {f"γ = {gamma}": shade for gamma, shade in zip(GAMMAS, SHADES, strict=True)}

AFFINE = Look(
    "papers-descent",
    "Where the JFB direction descends",
    "Random affine maps with a given contraction factor γ and condition number κ(MᵀM), a column a kind of matrix; the "
    "adversarial one is made so that JFB does worst. Share: of the draws whose JFB direction descends at a random "
    "∂ℓ/∂u. Least: over every ∂ℓ/∂u and all draws, negative where some loss makes JFB ascend. Dotted "
    "lines in the colour of γ: 1/γ, up to which the theorem promises descent where there are as many parameters as "
    "states.",
    Axis("κ(MᵀM)"),
    {
        "share": Axis("share that descends", log=False, reach=(0, 1)),
        "worst": Axis("least ⟨JFB, ∇⟩, scaled", log=False, reach=(0,)),
    },
    PALETTE,
    {ENOUGH: Stroke("o", "-", True), FEWER: Stroke("v", "--", False)},
    columns=4,
    height=2.5,
)
NETWORKS = Look(
    "papers-descent-networks",
    "Cosine of JFB and the true gradient in new networks",
    "A point a seed, networks as initialised, where nobody enforces the theorem’s condition. JFB descends where the "
    "cosine is positive.",
    Axis("row"),
    {"": Axis("cosine of JFB and the gradient", log=False, reach=(0, 1))},
    PALETTE,
)


class _Condition(Decoration):
    """1/γ for every γ, and the line that separates descent from ascent."""

    def __call__(self, axes: Axes, measure: str, panel: str) -> None:
        for name, shade in PALETTE.items():
            axes.axvline(1 / float(name.removeprefix("γ = ")), color=shade, linewidth=1, linestyle=":", zorder=0)
        if measure == "worst":
            across(axes, 0)


def affine(papers: Papers) -> Drawing | None:
    """A column a kind of matrix, a line a γ."""
    found = []
    draws = having(having(only(papers.records("descent"), what="affine"), "kappa"), "cosine")
    for who, some in groups(draws, "kind", "gamma", "parameters", "kappa"):
        states, parameters = numbers(some, "states"), numbers(some, "parameters")
        runner = ENOUGH if states and parameters and parameters[0] >= states[0] else FEWER
        cosines, worst, kappa = numbers(some, "cosine"), numbers(some, "worst"), numbers(some, "kappa")[0]
        name, panel = f"γ = {who.get('gamma', '')}", f"{who.get('kind', '')}"
        share = sum(cosine > 0 for cosine in cosines) / len(cosines)
        found.append(Point(name, runner, kappa, share, panel=panel, measure="share"))
        if worst:
            found.append(Point(name, runner, kappa, min(worst), panel=panel, measure="worst"))
    return lines(AFFINE, sorted(found, key=lambda point: point.measure), _Condition())


def networks(papers: Papers) -> Drawing | None:
    """A panel a network, a row a γ, a point a seed."""
    found = []
    draws = having(only(papers.records("descent"), what="model"), "cosine")
    for who, some in groups(draws, "problem", "gamma"):
        name = f"γ = {who['gamma']}" if "gamma" in who else "no γ"
        found += [Point(name, "", 0.0, cosine, panel=who.get("problem", "")) for cosine in numbers(some, "cosine")]
    return dots(NETWORKS, found)
