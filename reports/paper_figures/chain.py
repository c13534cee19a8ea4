"""The norm of ∂z_K/∂z_0, of which a gradient through K steps is made, against K."""

from __future__ import annotations

from dataclasses import replace

import seaborn as sns

from reports.claims.select import groups, having, rows
from reports.draw import Drawing
from reports.labels import Stroke
from reports.numbers import number
from reports.paper_figures.lines import lines
from reports.paper_figures.points import Axis, Look, Point
from reports.papers import Papers

PICARD, NEWTON = "Picard", "Newton"
FLOOR = 1e-20
"""Norms below are rounding of rounding, and Newton's would take the whole axis."""

LOOK = Look(
    "papers-chain",
    "What a gradient through K steps is multiplied by",
    "The spectral norm of ∂z_K/∂z_0 in float64, logarithmic. A contraction forgets its start geometrically, a map that "
    "stretches multiplies it; Newton’s method has derivative 0 at the root. Norms under 10⁻²⁰ are not drawn.",
    Axis("K (steps)", log=False),
    {"": Axis("‖∂z_K/∂z_0‖₂", reach=(1,))},
    strokes={PICARD: Stroke("o", "-", True), NEWTON: Stroke("s", "--", False)},
    height=4.2,
)


def chain(papers: Papers) -> Drawing | None:
    """A colour a map, a stroke a forward solver."""
    found = []
    for who, some in groups(having(having(papers.records("chain"), "K"), "norm"), "solver", "problem", "gamma"):
        solver = {"picard": PICARD, "newton": NEWTON}.get(who.get("solver", ""), who.get("solver", ""))
        name = ", ".join([who.get("problem", ""), *([f"γ = {who['gamma']}"] if "gamma" in who else [])])
        drawn = [(number(row["K"]), number(row["norm"])) for row in rows(some)]
        found += [Point(name, solver, K, norm) for K, norm in drawn if norm >= FLOOR]
    names = sorted({point.label for point in found})
    shades = sns.color_palette("colorblind", max(len(names), 1)).as_hex()
    look = replace(LOOK, palette=dict(zip(names, shades, strict=False)))
    return lines(look, found)
