"""Every figure of the experiments is drawn, of whole files, of files that have hardly begun, and of none."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from bench.experiments.catalog import EXPERIMENTS
from reports.draw import Drawing
from reports.paper_figures import FIGURES, figures
from tests.reports.paper_figures.conftest import made
from tests.rows import Row, papers

Drawn = list[tuple[str, Drawing]]


def test_every_figure_is_drawn_in_the_order_of_the_experiments(drawn: Drawn) -> None:
    names = [experiment for experiment, _ in drawn]
    assert names == [experiment for experiment, _ in FIGURES]
    assert list(dict.fromkeys(names)) == list(EXPERIMENTS)


def test_names_are_unique_and_fit_their_files(drawn: Drawn) -> None:
    names = [drawing.name for _, drawing in drawn]
    tables = [f"papers-{name}-{kind}" for name in EXPERIMENTS for kind in ("cells", "records")]
    assert len({*names, *tables, "papers-claims"}) == len(names) + len(tables) + 1
    assert all(name.startswith("papers-") for name in names)


def test_each_figure_stands_in_a_page_of_its_own_words(drawn: Drawn) -> None:
    for _, drawing in drawn:
        picture = ET.fromstring(drawing.svg)
        title = picture.find("title")
        assert picture.get("role") == "img" and title is not None and title.text
        assert "nan" not in title.text and drawing.caption and len(drawing.data)
        # What is written in the figure is text, so that it can be found and read aloud.
        assert picture.findall(".//text")


def test_nothing_is_drawn_of_nothing() -> None:
    assert figures(papers()) == []


class _First:
    """Keeps the first few rows of each experiment."""

    def __init__(self, count: int) -> None:
        self._count, self._seen = count, dict[str, int]()

    def __call__(self, row: Row) -> bool:
        name = str(row.get("experiment", row.get("problem")))
        self._seen[name] = self._seen.get(name, 0) + 1
        return self._seen[name] <= self._count


@pytest.mark.parametrize("name", ["test_functions", "training", "depth"])
def test_a_file_that_has_just_begun_is_drawn(name: str) -> None:
    found = figures(made(name, keep=_First(2)))
    assert {experiment for experiment, _ in found} <= {name}
