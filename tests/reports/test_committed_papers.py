"""docs/papers.md says nothing but what the committed rows say, and those leave next to no claim unmeasured."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from reports import paper_markdown
from reports.claims.verdict import UNKNOWN
from reports.paper_page import Section, section
from reports.papers import read

pytestmark = pytest.mark.long
ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "papers.md"
MOST_UNMEASURED = 3


@cache
def rows() -> Path:
    """The file that the page says it was made from, which must be in the repository."""
    named = re.search(r"Rows: `(results/[0-9a-f]{12}/papers-quick\.jsonl)`", PAGE.read_text(encoding="utf-8"))
    assert named is not None, "docs/papers.md names no file of results: make it anew as its head says."
    return Path(named.group(1))


@pytest.fixture(scope="module")
def committed() -> Iterator[Section]:
    with contextlib.chdir(ROOT):  # the page names its file as seen from here
        yield section(read(rows()))


def test_every_number_of_the_page_is_computed_from_rows_in_the_repository(committed: Section) -> None:
    assert paper_markdown.page(committed) == PAGE.read_text(encoding="utf-8"), (
        f"Make the page anew: gradratio page --papers {rows()} --papers-markdown > docs/papers.md"
    )


def test_next_to_no_claim_is_unmeasured(committed: Section) -> None:
    unmeasured = {one.claim.name: one.detail for one in committed.claims if one.verdict == UNKNOWN}
    assert len(unmeasured) <= MOST_UNMEASURED, unmeasured


def test_every_experiment_has_rows_and_a_figure(committed: Section) -> None:
    papers = committed.papers
    drawn = {name for name, _ in committed.figures}
    for name in papers.experiments:
        assert len(papers.cells(name)) or len(papers.records(name)), name
        assert name in drawn and not papers.missing(name), name


def test_the_rows_are_of_a_clean_commit_and_say_where(committed: Section) -> None:
    for run in committed.papers.results.runs:
        assert run.dirty is False and run.machine.cpu and run.versions["torch"] and run.versions["jax"]


def changed(path: Path, to: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """A copy of the rows with a change made to each part."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for row in lines:
        if row["kind"] == "part":
            change(row)
    to.write_text("".join(json.dumps(row) + "\n" for row in lines), encoding="utf-8")
    return to


def test_another_number_in_a_row_is_another_number_on_the_page(tmp_path: Path, committed: Section) -> None:
    def slower(row: dict[str, Any]) -> None:
        for record in row["records"]:
            if row["experiment"] == "epochs" and record["method"] == "jfb":
                record["seconds"] *= 100
                record["ratio"] *= 100

    found = section(read(changed(ROOT / rows(), tmp_path / "papers-quick.jsonl", slower)), drawn=False)
    before, after = ({one.claim.name: one for one in each.claims} for each in (committed, found))
    differ = {name for name in before if before[name].measured != after[name].measured}
    assert "jfb-faster" in differ and after["jfb-faster"].verdict != before["jfb-faster"].verdict
    assert all("epochs" in before[name].claim.experiments for name in differ)
