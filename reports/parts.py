"""The parts of the page in their order, from what there is to show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from reports import answer, catalogue, control, frameworks, heat, means, own, paper_page, peers, precision
from reports.across import compared, history
from reports.draw import Drawing
from reports.figures import ratios
from reports.frame import plain
from reports.grid import Grid
from reports.headline import by_steps
from reports.load import OWN, Results
from reports.part import Part
from reports.sample_figure import raw

CURVES = ("training", "epochs", "descent", "test_functions")
"""Experiments whose figures are training curves."""

MOST_CELLS = 400
"""Lines of the table of all cells; the others are counted, and all are in its file."""


@dataclass(frozen=True)
class Sources:
    """What a page is made from. results: the grid's. papers: the section on the papers' experiments. beside: on the
    peers. own: rows of the reader's models. before: results that ``results`` are set beside, with the names of both.
    tracked: the folder of asv's results. catalogue: the methods as data."""

    results: Results
    papers: paper_page.Section | None = None
    beside: peers.Section | None = None
    own: Results | None = None
    before: tuple[Results, tuple[str, str]] | None = None
    tracked: Path | None = None
    catalogue: catalogue.Catalogue | None = None
    notes: list[str] = field(default_factory=list)
    """What was left out while the files were read."""


def parts(sources: Sources, grid: Grid) -> list[Part]:
    """Every part that has something to say; ``grid`` is that of the results. The answer comes first, and links to what
    the others hold."""
    found = list(_evidence(sources, grid))
    evidence = {part.name for part in found} | {f"figure-{one.name}" for part in found for one in part.drawings}
    papers = sources.papers.papers if sources.papers else None
    if grid.run.preset == OWN:
        return found  # rows of one model decide nothing about methods in general
    return [answer.part(grid.frame, grid.samples, papers, evidence, grid.run), *found]


def _evidence(sources: Sources, grid: Grid) -> Iterator[Part]:
    """All parts but the answer."""
    papers = sources.papers.papers if sources.papers else None
    if sources.own:
        yield own.part(sources.own)
    if sources.before:
        yield compared.part(sources.before[0], sources.results, sources.before[1])
    yield _results(grid)
    yield Part("memory", "Memory against depth and steps", "memory.html.j2", grid, tuple(grid.memory), short="Memory")
    sharp = precision.part(grid.frame, grid.samples, papers)
    if sharp:
        yield sharp
    if sources.papers:
        yield from _papers(sources.papers, {one.name for one in sharp.drawings} if sharp else set())
    both = frameworks.part(grid.groups)
    if both:
        yield both
    if sources.beside:
        yield _peers(sources.beside)
    if sources.tracked:
        yield history.part(sources.tracked)
    if sources.catalogue:
        yield catalogue.part(sources.catalogue)
    yield Part("guide", "How to read this page", "guide.html.j2", None)
    yield Part("errors", "Gradient errors", "errors.html.j2", grid)
    yield Part("samples", "Raw samples", "samples.html.j2", grid, _some(raw(grid.samples, grid.groups)))
    checked = control.part(grid.samples)
    if checked:
        yield checked
    yield Part("failed", "What failed or is missing", "failed.html.j2", grid, short="Failed or missing")
    yield Part("machine", "Machine and versions", "machine.html.j2", grid, short="Machine")


def _results(grid: Grid) -> Part:
    """R at a glance and point by point, the tables, and the means over them."""
    of_length = by_steps(grid.groups)
    drawn = _some(heat.drawing(of_length)) + _some(ratios(grid.groups))
    middle = means.part(of_length)
    tables = {"cells": plain(grid.frame)} | (dict(middle.tables) if middle else {})
    rows = grid.frame.to_dict("records")
    content = {
        "groups": grid.groups,
        "means": middle.content if middle else [],
        "rows": rows[:MOST_CELLS],
        "left": max(0, len(rows) - MOST_CELLS),
    }
    return Part("results", "Time, memory and error", "results.html.j2", content, drawn, tables, "Results")


def _papers(section: paper_page.Section, shown: set[str]) -> Iterator[Part]:
    """The claims with the figures that show them, but those ``shown`` elsewhere; and apart the training curves."""
    drawn = [(name, drawing) for name, drawing in section.figures if drawing.name not in shown]
    curves = tuple(drawing for name, drawing in drawn if name in CURVES)
    others = tuple(drawing for name, drawing in drawn if name not in CURVES)
    title, tables = "The papers’ claims, measured again", paper_page.tables(section)
    yield Part("papers", title, "papers.html.j2", section, others, tables, "The papers’ claims")
    if curves:
        yield Part("training", "Training curves", "training.html.j2", section, curves)


def _peers(section: peers.Section) -> Part:
    tables = peers.tables(section)
    return Part("peers", "Beside the peers", "peers.html.j2", section, _some(section.figure), tables)


def _some(drawing: Drawing | None) -> tuple[Drawing, ...]:
    return (drawing,) if drawing else ()
