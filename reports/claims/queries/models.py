"""Baydin, figures 3 to 5: R_f and R_b of the models as published."""

from __future__ import annotations

from collections.abc import Iterator

from bench.stats import centre
from reports.claims.claim import Case, case
from reports.claims.pairs import alike, doubt, known, method, pairs
from reports.claims.scope import of_cells
from reports.claims.select import Row, ran
from reports.claims.sizes import MODELS, noted, speed, unlike
from reports.papers import Papers

TANGENTS = {"gaussian": "sampled tangents", "given": "given tangents"}


def _models(papers: Papers) -> Iterator[tuple[dict[str, str], list[Row]]]:
    """The cells of the models as published, which are those that sampled tangents were measured for."""
    for cells in alike(papers.cells("ratios")):
        if any(row["options"].get("tangents") == "gaussian" for row in cells):
            yield {"framework": ran(cells[0]), "problem": str(cells[0]["problem"])}, cells


def faster(papers: Papers) -> list[Case]:
    """R_f ÷ R_b of every model."""
    return known(
        [
            pair.case(conditions | {"tangents": words}, pair.times(papers), _about(pair.above), timed=True)
            for conditions, cells in _models(papers)
            for tangents, words in TANGENTS.items()
            for pair in pairs(cells, method("forward_gradient", tangents=tangents), method("backprop"))
        ]
    )


def cost(papers: Papers, name: str, problem: str = "") -> list[Case]:
    """R of a method, ``forward_gradient`` with sampling, on every model or on one."""
    return known(
        [
            case(
                conditions,
                found,
                note=_about(row),
                scope=of_cells(row, workers=found.samples),
                doubt=doubt(row),
            )
            for conditions, cells in _models(papers)
            for row in cells
            if row["method"] == name
            and row["options"].get("tangents", "gaussian") == "gaussian"
            and problem in ("", row["problem"])
            for found in [centre(papers.by_worker(row["cell"]).values())]
        ]
    )


def _about(row: Row) -> str:
    """How fast the forward is, and what differs from the published model."""
    return noted(unlike(row, MODELS.get(str(row["problem"]), {})), speed(row))
