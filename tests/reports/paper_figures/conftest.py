"""One made-up file of every experiment, and its figures, drawn once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reports.draw import Drawing
from reports.paper_page import Section, section
from reports.papers import Papers
from tests.reports.paper_figures.made_up import EXPLICIT
from tests.reports.paper_figures.made_up_implicit import IMPLICIT
from tests.rows import Row, papers


def made(*names: str, keep: Callable[[Row], bool] = lambda row: True) -> Papers:
    """Papers of the named experiments, or of all; of each the rows that are kept."""
    sources = EXPLICIT | IMPLICIT
    found = {name: [row for row in sources[name]() if keep(row)] for name in names or sources}
    visits = {name: [row for row in rows if row["kind"] == "visit"] for name, rows in found.items()}
    return papers(visits, [row for rows in found.values() for row in rows if row["kind"] == "part"])


@pytest.fixture(scope="session")
def whole() -> Section:
    """The section of every experiment."""
    return section(made())


@pytest.fixture(scope="session")
def drawn(whole: Section) -> list[tuple[str, Drawing]]:
    """Every figure."""
    return whole.figures
