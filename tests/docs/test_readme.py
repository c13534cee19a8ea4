"""The tables of README are those of the rows that it names."""

from __future__ import annotations

import re

import pytest

from reports import Results, answer, cells, read, samples
from reports.markdown import table
from tests.docs.markdown import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def results() -> Results:
    """The rows that README names, and it names one file alone."""
    (path,) = set(re.findall(r"results/[0-9a-f]{12}/quick\.jsonl", README))
    return read(ROOT / path)


def between(name: str) -> str:
    """What stands between two marks."""
    return README.split(f"<!-- {name} -->")[1].split(f"<!-- /{name} -->")[0].strip()


def test_the_answer_is_computed_from_the_rows(results: Results) -> None:
    found = answer.part(cells(results), samples(results), None, (), results.run)
    assert between("answer") == answer.markdown(found).strip()
    assert "not decided" not in between("answer").lower()


def test_the_table_is_made_from_the_rows(results: Results) -> None:
    assert between("table") == table(results).strip()
