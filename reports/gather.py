"""Reads the files that a page is made from: those that the command line names, else the newest of each kind."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from bench.rows import told_path
from reports import catalogue, paper_page, peers
from reports.across.compared import read_both
from reports.load import Results, newest, newest_papers, newest_peers, read
from reports.papers import Papers
from reports.papers import read as read_papers
from reports.parts import Sources

CATALOGUE = Path("results/catalog.json")
"""What the methods are and can do, as ``gradratio capabilities`` writes it."""

TRACKED = Path("results/asv")
"""Where asv keeps its results."""


def gather(chosen: argparse.Namespace) -> Sources:
    """All that a page is made from; ``ResultsError``, one sentence, where there is nothing to show."""
    before = None
    if chosen.beside:
        first, results = (told(one) for one in read_both(chosen.beside))
        one, other = (told_path(path) for path in chosen.beside)
        before = first, (one, other)
    else:
        results = grid_results(chosen)
    papers, beside, notes = experiments(chosen), peers_bench(chosen), list[str]()
    ours = CATALOGUE.exists()  # in any other folder neither the catalogue nor asv's history is missed
    return Sources(
        results=results,
        papers=paper_page.section(papers) if papers else None,
        beside=peers.section(beside) if beside else None,
        own=told(read(*chosen.own)) if chosen.own else None,
        before=before,
        tracked=TRACKED if ours or any(TRACKED.glob("*/*.json")) else None,
        catalogue=catalogue.read(CATALOGUE, notes) if ours else None,
        notes=notes,
    )


def grid_results(chosen: argparse.Namespace) -> Results:
    """The grid's results that were named, else the newest."""
    notes: list[str] = []
    found = read(*(chosen.results or [newest(notes=notes)]))
    found.notes[:0] = notes
    return told(found)


def experiments(chosen: argparse.Namespace) -> Papers | None:
    """The papers' experiments that were named, else the newest; None without."""
    return _papers(chosen.papers, newest_papers)


def peers_bench(chosen: argparse.Namespace) -> Papers | None:
    """The rows of the peers' bench that were named, else the newest; None without."""
    return _papers(chosen.peers, newest_peers)


def told(results: Results) -> Results:
    """The results themselves, what was left out of them said on stderr."""
    for note in results.told:
        print(note, file=sys.stderr)
    return results


def _papers(named: str | None, newest_one: Callable[..., Path | None]) -> Papers | None:
    notes: list[str] = []
    path = None if named == "none" else Path(named) if named else newest_one(notes=notes)
    if path is None:
        return None
    found = read_papers(path)
    found.results.notes[:0] = notes
    told(found.results)
    return found
