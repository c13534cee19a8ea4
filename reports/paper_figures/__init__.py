"""Figures of the papers' experiments: a file an experiment, each drawn from what a results file holds."""

from __future__ import annotations

from collections.abc import Callable

from reports.draw import Drawing
from reports.paper_figures.accuracy import accuracy
from reports.paper_figures.chain import chain
from reports.paper_figures.code_lines import code_lines
from reports.paper_figures.depth import depth
from reports.paper_figures.descent import affine, networks
from reports.paper_figures.epochs import epochs
from reports.paper_figures.footprint import batch
from reports.paper_figures.footprint import depth as memory
from reports.paper_figures.functions import paths
from reports.paper_figures.inverse import inverse
from reports.paper_figures.memory_steps import memory_steps
from reports.paper_figures.neumann import neumann
from reports.paper_figures.newton_layer import newton_layer
from reports.paper_figures.rates import rates
from reports.paper_figures.ratios import ratios
from reports.paper_figures.sizes import sizes
from reports.paper_figures.solver_independence import solver_independence
from reports.paper_figures.training import training
from reports.paper_figures.work_precision import work_precision
from reports.papers import Papers

Figure = Callable[[Papers], Drawing | None]

FIGURES: tuple[tuple[str, Figure], ...] = (
    ("test_functions", paths),
    ("ratios", ratios),
    ("ratios", sizes),
    ("depth", depth),
    ("depth", batch),
    ("depth", memory),
    ("training", training),
    ("training", rates),
    ("epochs", epochs),
    ("accuracy", accuracy),
    ("neumann", neumann),
    ("descent", affine),
    ("descent", networks),
    ("code_lines", code_lines),
    ("newton_layer", newton_layer),
    ("inverse", inverse),
    ("solver_independence", solver_independence),
    ("chain", chain),
    ("memory_steps", memory_steps),
    ("work_precision", work_precision),
)
"""Each with its experiment, in the order of the documents."""


def figures(papers: Papers) -> list[tuple[str, Drawing]]:
    """(experiment, drawing) of every figure that has something to show; what was not run is left out."""
    drawn = [(experiment, figure(papers)) for experiment, figure in FIGURES]
    return [(experiment, drawing) for experiment, drawing in drawn if drawing is not None]
