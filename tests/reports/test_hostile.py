"""Hostile files: whatever a line holds, the good rows keep their numbers and the page stays sound."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import Results, ResultsError, cells, missing, read, samples
from reports.load import unfinished
from reports.markdown import table
from reports.numbers import DASH
from reports.page import write
from reports.papers import Papers
from reports.parts import Sources
from tests.damage import MARKUP, UNPRINTABLE, drawn, mutants, whole
from tests.reports.reader import Reader
from tests.rows import Row, exact, run, text, timed

GOOD: list[Row] = [run(), timed(2.0, 0), timed(2.1, 1), exact(123_456)]
CELL = GOOD[1]["cell"]
VICTIMS = [*drawn(), *whole()[1:]]


def load(lines: list[bytes]) -> Results:
    """Read lines as a results file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "some.jsonl"
        path.write_bytes(b"\n".join(lines))
        return read(path)


def good_numbers(results: Results) -> list[float]:
    """What the good rows say, which no other row may change."""
    row = next(row for row in cells(results).to_dict("records") if row["cell"] == CELL and row["problem"] == "mlp")
    return [row[name] for name in ("R", "R_low", "R_high", "workers", "peak_bytes", "gradient_error")]


EXPECTED = good_numbers(load([text(GOOD)]))


BATCHES = [
    0,
    *(pytest.param(batch, marks=pytest.mark.long) for batch in range(1, 10)),
    *(pytest.param(batch, marks=pytest.mark.longest) for batch in range(10, 100)),
]


@pytest.mark.parametrize("batch", BATCHES)
def test_of_a_hundred_damaged_files_a_batch_the_good_rows_keep_their_numbers(batch: int) -> None:
    dice = random.Random(batch)
    for _ in range(100):
        found = load([text(GOOD).rstrip(b"\n"), mutants(dice, VICTIMS)])
        assert good_numbers(found) == EXPECTED
        samples(found), missing(found), table(found), unfinished(found)
        papers = Papers(found)
        for name in papers.experiments:
            papers.records(name), papers.cells(name), papers.failed(name)


@given(st.lists(st.binary(max_size=40), max_size=4), st.integers(0, 10**6))
def test_alone_they_are_an_error_of_ours_or_work(lines: list[bytes], seed: int) -> None:
    for content in (lines, [*lines, mutants(random.Random(seed), VICTIMS)]):
        try:
            cells(load(content))
        except ResultsError as error:
            assert str(error).isprintable() and str(error).endswith(".") and len(str(error)) < 1000


def check(found: Results, folder: Path) -> None:
    """The page and its data are written, parse, and hold no markup of the data's."""
    path = write(Sources(found), folder)
    source = path.read_text(encoding="utf-8")
    reader = Reader(source)
    assert reader.stack == []
    assert not {tag for tag, _ in reader.tags} & {"img", "iframe", "object", "embed", "form"}
    assert source.count("<script") == 1  # the page's own
    assert not any(name.startswith("on") for _, attributes in reader.tags for name in attributes)
    assert not any(letter in source for letter in "\x00\x1b\x07\u202e")
    assert len(source) < 3_000_000
    shown = {text for row in reader.rows for attributes, text in row if "data-ratio" in attributes}
    assert any(text.startswith(f"{EXPECTED[0]:.2f} [") for text in shown)


@pytest.mark.parametrize("batch", range(10))
@pytest.mark.long
def test_the_page_stays_sound(batch: int, tmp_path: Path) -> None:
    dice = random.Random(-batch)
    for _ in range(6):
        check(load([text(GOOD).rstrip(b"\n"), mutants(dice, VICTIMS)]), tmp_path)


def test_a_quotient_beyond_all_floats_is_unknown() -> None:
    damaged = [GOOD[0], *(row | {"values": {"flops": 1e300, "forward_flops": 5e-324}} for row in GOOD if "cell" in row)]
    found = load([text(damaged).rstrip(b"\n")])
    assert cells(found)["counted_flop_ratio"].isna().all() and DASH in table(found)


def everywhere(value: Any, nasty: Iterator[str]) -> Any:
    """The value with every text replaced by the next nasty one."""
    if isinstance(value, str):
        return next(nasty)
    if isinstance(value, dict):
        return {name: everywhere(one, nasty) for name, one in value.items()}
    return [everywhere(one, nasty) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("first", range(0, 10, 3))
@pytest.mark.few(2)
def test_markup_in_every_text_is_only_text(first: int, tmp_path: Path) -> None:
    texts = [*MARKUP, "W" * 60]
    nasty = cycle(texts[first:] + texts[:first])
    described = {name: next(nasty) for name in ("commit", "preset", "gpu_driver")} | {"cells": list(islice(nasty, 14))}
    machine = everywhere(GOOD[0]["machine"], nasty) | {"gpu": {"name": next(nasty), "count": 2}}
    rows = [GOOD[0] | described | {"machine": machine, "versions": everywhere(GOOD[0]["versions"], nasty)}]
    for number, row in enumerate(drawn()[1:]):
        kept = {name: row[name] for name in ("kind", "measure", "status", "run", "device", "started")}
        named: Row = {"sizes": {next(nasty): next(nasty), "depth": 2**number}, "options": {next(nasty): next(nasty)}}
        odd = everywhere(row, nasty) | kept | named
        failed = {"status": "failed", "reason": next(nasty), "cell": f"{number}{next(nasty)}", "device": next(nasty)}
        rows += [odd, odd | failed]
    rows.append(everywhere(whole()[-1], nasty) | {"kind": "verdict", "run": "0" * 12})
    found = load([text([*rows, *GOOD[1:]]).rstrip(b"\n")])
    assert found.notes == []
    assert len(found.visits) == 13 and len(found.surprises) == 1
    check(found, tmp_path)


@pytest.mark.parametrize("odd", UNPRINTABLE)
def test_a_line_with_a_text_that_would_act_is_left_out_and_named_harmlessly(odd: str) -> None:
    for field in ("reason", "problem", "cell", "status"):
        found = load([text([*GOOD, GOOD[1] | {field: odd}])])
        assert len(found.visits) == 3 and good_numbers(found) == EXPECTED
        assert found.notes[0].startswith("Line 5 of some.jsonl is skipped: it is ")
        assert found.notes[0].isprintable()


def test_problems_that_are_not_drawn_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.figures.MOST_PANELS", 3)
    monkeypatch.setattr("reports.sample_figure.MOST_PANELS", 3)
    found = load([text([*GOOD, *(timed(2.0, problem=f"problem {number}") for number in range(5))])])
    check(found, tmp_path)
    source = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "The first 3 problems are drawn; 3 more stand in the tables alone." in source


def test_no_text_of_the_data_is_a_formula_in_a_spreadsheet(tmp_path: Path) -> None:
    found = load([text([*GOOD, timed(2.0, problem='=HYPERLINK("x")'), exact(3, problem="@SUM(1)")])])
    check(found, tmp_path)
    for path in (tmp_path / "data").glob("*.csv"):
        content = path.read_text(encoding="utf-8")
        assert ",=" not in content and ',"=' not in content and ",@" not in content
