"""What besides the methods differs between two files, and files that hold anything."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from reports.across.compared import part
from reports.across.differences import differences, equal_runs
from reports.across.pairs import match
from reports.template import render
from tests.damage import MARKUP, mutants
from tests.reports.across.sides import A, B, cell, results, workers
from tests.reports.reader import Reader
from tests.reports.test_hostile import CELL, GOOD, VICTIMS, load
from tests.rows import MACHINE, VERSIONS, Row, text, timed

NAMES = ("before", "after")


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"machine": MACHINE | {"cpu": "Other CPU"}}, "processor Some CPU 9000 in A and Other CPU in B"),
        ({"machine": MACHINE | {"gpu": {"name": "Some GPU"}}}, "GPU none in A and Some GPU in B"),
        ({"versions": VERSIONS | {"torch": "2.14.0"}}, "torch 2.13.0 in A and 2.14.0 in B"),
        ({"bench": "2"}, "other instruments (version 1 in A and 2 in B)"),
        ({"threads": 4}, "threads 1 in A and 4 in B"),
        ({"dirty": True}, "B: The working tree was dirty"),
    ],
)
def test_what_else_differs_is_a_caution(tmp_path: Path, changes: Row, words: str) -> None:
    one, other = (results(tmp_path / of, of, [cell(workers(2), of)], **more) for of, more in ((A, {}), (B, changes)))
    (sentence,) = differences(one, other, match(one, other))
    assert words in sentence
    assert bool(equal_runs(one, other)) is ("dirty" in changes)


def test_the_same_code_on_the_same_machine_is_said_to_show_noise(tmp_path: Path) -> None:
    one, other = (results(tmp_path / of, of, [cell(workers(2), of)]) for of in (A, B))
    assert differences(one, other, match(one, other)) == [] and "what one run differs" in equal_runs(one, other)


def test_markup_in_every_text_stays_text(tmp_path: Path) -> None:
    texts = [text for text in MARKUP if text]
    both = []
    for of in (A, B):
        rows = [
            timed(2.0 + (of == B), worker, run=of)
            | {"problem": text, "method": text, "options": {text: text}, "sizes": {text: text}, "cell": text}
            for text in texts
            for worker in range(2)
        ]
        described = {"machine": MACHINE | {"cpu": texts[0] + of}, "commit": texts[1]}
        both.append(results(tmp_path / of, of, [rows], **described, versions={texts[3]: of}))
    found = part(both[0], both[1], (texts[1], texts[0]))
    reader = Reader(render(found))
    assert reader.stack == [] and not {tag for tag, _ in reader.tags} & {"script", "img", "iframe", "a href"}
    assert not any(name.startswith("on") for _, attributes in reader.tags for name in attributes)
    assert len(found.content.quotients) > 5 and len(found.content.cautions) >= 2


@pytest.mark.parametrize("seed", range(5))
def test_whatever_a_row_becomes_the_part_stands(seed: int) -> None:
    dice = random.Random(seed)
    # The good rows of the two sides differ in their times alone, so that they are two measurements.
    later = [{**row, "started": "2026-03-02T10:00:00Z"} for row in GOOD]
    one, other = (load([text(rows).rstrip(b"\n"), mutants(dice, VICTIMS)]) for rows in (GOOD, later))
    found = part(one, other, NAMES)
    source = render(found)
    assert Reader(source).stack == [] and not any(letter in source for letter in "\x00\x1b\x07\u202e")
    assert CELL in found.data["compared"]["cell"].tolist()
