"""Which files a page is made from, in the repository and in any other folder."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from reports.gather import CATALOGUE, TRACKED, gather
from reports.grid import grid
from reports.parts import Sources, parts
from tests.reports.made_up_catalogue import DOCUMENT
from tests.rows import exact, run, timed, write


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with rows and nothing else."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "some.jsonl", [run(), timed(2.0), exact(1000)])


def found() -> Sources:
    """What is found here, where only the rows were named."""
    return gather(argparse.Namespace(beside=None, results=[Path("some.jsonl")], papers="none", peers="none", own=None))


def names(sources: Sources) -> set[str]:
    """The parts of the page."""
    return {part.name for part in parts(sources, grid(sources.results))}


def test_elsewhere_neither_the_catalogue_nor_the_history_is_missed() -> None:
    sources = found()
    assert (sources.tracked, sources.catalogue, sources.notes) == (None, None, [])
    assert not names(sources) & {"catalogue", "history"}


def test_in_the_repository_the_history_says_that_nothing_was_tracked() -> None:
    CATALOGUE.parent.mkdir()
    CATALOGUE.write_text(json.dumps(DOCUMENT), encoding="utf-8")
    assert names(found()) >= {"catalogue", "history"}


def test_asvs_files_are_enough_for_the_history() -> None:
    (TRACKED / "machine").mkdir(parents=True)
    (TRACKED / "machine" / "damaged.json").touch()
    sources = found()
    assert sources.tracked == TRACKED and sources.catalogue is None and sources.notes == []


def test_a_catalogue_that_cannot_be_used_is_told() -> None:
    CATALOGUE.parent.mkdir()
    CATALOGUE.touch()
    sources = found()
    (note,) = sources.notes
    assert sources.catalogue is None and note.startswith(f"The catalogue {CATALOGUE} is left out: ")
