"""The section of one made-up file, made once."""

from __future__ import annotations

import pytest

from reports.peers import Section, section
from tests.reports.peers.made_up import papers, whole


@pytest.fixture(scope="package")
def made() -> Section:
    """With its figure."""
    return section(papers(whole()))
