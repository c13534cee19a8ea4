"""Two suites of made-up results, read and rendered once for all tests."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from reports import Results, cells, read
from reports.page import write
from reports.parts import Sources
from tests.reports.additions import additions
from tests.reports.suite import suite
from tests.rows import write as write_results


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """The whole suite, from a file."""
    return read(write_results(tmp_path_factory.mktemp("results") / "quick.jsonl", suite()))


@pytest.fixture(scope="session")
def frame(results: Results) -> pd.DataFrame:
    """One row a cell."""
    return cells(results)


@pytest.fixture(scope="session")
def page(results: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the suite."""
    return write(Sources(results), tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="session")
def source(page: Path) -> str:
    """The page's HTML."""
    return page.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def more(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """The suite of additions, from a file."""
    return read(write_results(tmp_path_factory.mktemp("more") / "more.jsonl", additions()))


@pytest.fixture(scope="session")
def more_cells(more: Results) -> pd.DataFrame:
    """One row a cell of it."""
    return cells(more)


@pytest.fixture(scope="session")
def more_page(more: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of it."""
    return write(Sources(more), tmp_path_factory.mktemp("more_page"))


@pytest.fixture(scope="session")
def more_source(more_page: Path) -> str:
    """Its HTML."""
    return more_page.read_text(encoding="utf-8")
