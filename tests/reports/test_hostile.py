"""Hostile files: whatever a line holds, the good rows keep their numbers and the page stays sound."""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reports import Results, ResultsError, cells, missing, read, samples
from reports.markdown import table
from reports.page import write
from reports.parts import Sources
from tests.reports.reader import Reader
from tests.rows import Row, exact, run, text, timed

MARKUP = [
    "<script>alert(1)</script>",
    "</svg></title></style><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }}{% for a in b %}",
    "\x1b]0;title\x07\x1b[2J",
    "]]><!-- & --> &lt;script&gt;",
    '"><a href="javascript:alert(1)" id="results">',
    "$\\frac{1}{$ x^{",
    "=HYPERLINK(1)",
    "\ud800\uffff\u202e",
    "中文 عربى 🜁",
    "\x00",
    "",
]
TEXTS = st.sampled_from(MARKUP) | st.text(max_size=8) | st.sampled_from(["W" * 500, "a b " * 30_000])
NUMBERS = st.sampled_from(
    [float("nan"), float("inf"), -float("inf"), 10**400, -(10**20), -1, 0, 1e308, 5e-324, -0.0, True, False, 2**63, 1.5]
)
JUNK = st.recursive(
    st.none() | TEXTS | NUMBERS | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)
SIZES = {"batch": 8, "depth": 2, "width": 4}
CONDITIONS = {"load": 0.5, "cpu_share": 0.99, "steal_share": 0.0, "warnings": ["busy"]}
VICTIMS: list[Row] = [
    run("1" * 12),
    timed(2.0, problem="other") | {"conditions": CONDITIONS},
    exact(100, problem="tanh", method=("ift", {"K": 3, "linear_solver": "gmres"}), values={"device_peak_bytes": 128}),
    exact(100, problem="far", device="meta", sizes=SIZES),
    exact(200, problem="far", device="meta", sizes=SIZES | {"depth": 4}),
    exact(300, problem="far", device="meta", sizes=SIZES | {"depth": 8}),
    {
        "kind": "verdict",
        "schema": 1,
        "run": "0" * 12,
        "surprises": [{"cell": "c", "expected": "ok", "found": "wrong", "why": ""}],
    },
]
GOOD: list[Row] = [run(), timed(2.0, 0), timed(2.1, 1), exact(123_456)]
CELL = GOOD[1]["cell"]


def paths(row: Any, so_far: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where a value stands in a row, at any depth."""
    inside = row.items() if isinstance(row, dict) else enumerate(row) if isinstance(row, list) else ()
    found = [so_far] if so_far else []
    return found + [path for name, value in inside for path in paths(value, (*so_far, name))]


@st.composite
def mutants(draw: st.DrawFn) -> bytes:
    """A valid row in which up to three values, or names, became something else; sometimes cut or said twice."""
    row = copy.deepcopy(draw(st.sampled_from(VICTIMS)))
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(paths(row)))
        home = row
        for name in way:
            home = home[name]
        if isinstance(home, dict) and draw(st.integers(0, 4)) == 0:
            home[draw(TEXTS)] = home.pop(last)
        else:
            home[last] = draw(JUNK)
    line = json.dumps(row).encode()
    how = draw(st.integers(0, 11))
    if how == 0:
        return line[: draw(st.integers(0, len(line)))]
    return line.replace(b"{", b'{"kind": "visit", ', 1) if how == 1 else line


LINES = st.binary(max_size=40) | JUNK.map(lambda value: json.dumps(value).encode()) | mutants()


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


@settings(max_examples=100, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=4))
def test_the_good_rows_keep_their_numbers(lines: list[bytes]) -> None:
    found = load([text(GOOD).rstrip(b"\n"), *lines])
    assert good_numbers(found) == EXPECTED
    samples(found), missing(found), table(found)


@settings(max_examples=100, deadline=None)
@given(st.lists(LINES, max_size=4))
def test_alone_they_are_an_error_of_ours_or_work(lines: list[bytes]) -> None:
    try:
        cells(load(lines))
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


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(mutants(), min_size=1, max_size=3))
def test_the_page_stays_sound(lines: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        check(load([text(GOOD).rstrip(b"\n"), *lines]), Path(folder))


def everywhere(value: Any, nasty: Iterator[str]) -> Any:
    """The value with every text replaced by the next nasty one."""
    if isinstance(value, str):
        return next(nasty)
    if isinstance(value, dict):
        return {name: everywhere(one, nasty) for name, one in value.items()}
    return [everywhere(one, nasty) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("first", range(0, 14, 3))
def test_markup_in_every_text_is_only_text(first: int, tmp_path: Path) -> None:
    texts = [*MARKUP, "W" * 100_000, "a " * 50_000]
    nasty = cycle(texts[first:] + texts[:first])
    described = {name: next(nasty) for name in ("started", "commit", "preset")} | {"cells": list(islice(nasty, 14))}
    gpu = {"name": next(nasty), "driver": next(nasty), "count": 2}
    machine = everywhere(GOOD[0]["machine"], nasty) | {"gpu": gpu}
    rows = [GOOD[0] | described | {"machine": machine, "versions": everywhere(GOOD[0]["versions"], nasty)}]
    for number, row in enumerate(VICTIMS[1:-1]):
        kept = {name: row[name] for name in ("kind", "measure", "status", "run", "device")}
        named: Row = {"sizes": {next(nasty): next(nasty), "depth": 2**number}, "options": {next(nasty): next(nasty)}}
        odd = everywhere(row, nasty) | kept | named
        failed = {"status": "failed", "reason": next(nasty), "cell": f"{number}{next(nasty)}", "device": next(nasty)}
        rows += [odd, odd | failed]
    rows.append(everywhere(VICTIMS[-1], nasty) | {"kind": "verdict", "run": "0" * 12})
    found = load([text([*rows, *GOOD[1:]]).rstrip(b"\n")])
    assert found.notes == []
    assert len(found.visits) == 13 and len(found.surprises) == 1
    check(found, tmp_path)


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
