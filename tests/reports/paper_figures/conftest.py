"""One made-up file of every experiment, and its figures, drawn once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reports.figures import Drawing
from reports.load import Results
from reports.paper_page import Section, section
from reports.papers import Papers
from reports.rows import check
from tests.reports.paper_figures.made_up import EXPLICIT
from tests.reports.paper_figures.made_up_implicit import IMPLICIT
from tests.rows import Row, run


def made(*names: str, keep: Callable[[Row], bool] = lambda row: True) -> Papers:
    """Papers of the named experiments, or of all; of each the rows that are kept."""
    sources = EXPLICIT | IMPLICIT
    found = {name: [check(row) for row in sources[name]() if keep(row)] for name in names or sources}
    rows = [row for of_one in found.values() for row in of_one]
    visits, parts = ([row for row in rows if row["kind"] == kind] for kind in ("visit", "part"))
    cells = {name: sorted({row["cell"] for row in rows if row["kind"] == "visit"}) for name, rows in found.items()}
    return Papers(Results([check(run(preset="papers-quick", experiments=cells))], visits, parts=parts))


@pytest.fixture(scope="session")
def whole() -> Section:
    """The section of every experiment."""
    return section(made())


@pytest.fixture(scope="session")
def drawn(whole: Section) -> list[tuple[str, Drawing]]:
    """Every figure."""
    return whole.figures
