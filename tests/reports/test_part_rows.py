"""Parts of experiments in a file: what is kept, what is skipped and why, and which file is the newest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.clean import Unusable
from reports.load import Results, ResultsError, newest, newest_papers, read
from reports.papers import Papers
from reports.records import records
from reports.rows import check, parse
from tests.rows import Row, exact, part, run, text, write

GOOD = part("training", [{"iteration": 1, "loss": 2.0}], method="backprop")


def load(folder: Path, *rows: Row) -> Results:
    """The rows, written and read."""
    return read(write(folder / "papers-quick.jsonl", rows))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"records": {}}, "it needs 'records' as a list"),
        ({"records": [1]}, "it has a record that is no table"),
        ({"records": [{"loss": [1.0]}]}, "its record's 'loss' is no number up to 1e300 and no text"),
        ({"records": [{"loss": {"x": 1}}]}, "its record's 'loss' is no number up to 1e300 and no text"),
        ({"records": [{"loss": 1e301}]}, "its record's 'loss' is no number up to 1e300 and no text"),
        ({"records": [{str(n): n for n in range(65)}]}, "its records have more than 64 fields"),
        ({"records": [{str(n): n} for n in range(65)]}, "its records have more than 64 fields"),
        ({"settings": []}, "it needs 'settings' as a table"),
        ({"settings": {"rate": [1]}}, "its settings hold more than texts and numbers up to 1e15"),
        ({"settings": {str(n): n for n in range(40)}}, "it has more than 32 settings"),
        ({"experiment": 3}, "it needs 'experiment' as a text"),
        ({"framework": None}, "it needs 'framework' as a text"),
        ({"worker": True}, "it needs 'worker' as a whole number"),
        ({"worker": -1}, "its worker is none of the numbers 0 to 99999"),
        ({"status": "fine"}, "it has the unknown status 'fine'"),
        ({"measure": "time"}, "it has the unknown measure 'time'"),
        ({"conditions": []}, "it needs 'conditions' as a table"),
        ({"load": "high"}, "it needs 'load' as a number"),
    ],
)
def test_a_part_that_cannot_be_used_is_skipped_by_name(tmp_path: Path, changes: Row, reason: str) -> None:
    found = load(tmp_path, run(), GOOD, GOOD | changes)
    assert found.notes == [f"Line 3 of papers-quick.jsonl is skipped: {reason}."]
    assert found.parts == [GOOD]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"experiments": []}, "it needs 'experiments' as a table"),
        ({"experiments": {"depth": "all"}}, "it has an experiment that is no list of cells"),
        ({"experiments": {"depth": [1]}}, "it has an experiment that is no list of cells"),
        ({"parts": "all"}, "it needs 'parts' as a list"),
        ({"parts": [1]}, "it lists a planned part that is no text"),
    ],
)
def test_a_run_that_plans_what_is_no_text_is_skipped(tmp_path: Path, changes: Row, reason: str) -> None:
    found = load(tmp_path, run(), GOOD, run("other", **changes))
    assert found.notes == [f"Line 3 of papers-quick.jsonl is skipped: {reason}."]


def test_texts_are_shortened_truths_are_numbers_and_nan_is_null() -> None:
    line = json.dumps(GOOD | {"records": [{"a" * 200: "b" * 200, "yes": True, "loss": float("nan")}]}).encode()
    ((name, value), *others) = check(parse(line))["records"][0].items()
    assert (len(name), len(value)) == (60, 120)
    assert others == [("yes", 1), ("loss", None)]


FLAT = st.dictionaries(
    st.text(max_size=3), st.none() | st.integers(-9, 9) | st.floats(-9, 9) | st.text(max_size=3), max_size=4
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(FLAT, max_size=4))
def test_flat_records_pass_unchanged(table: list[Row]) -> None:
    assert records(table) == table


@given(JSON)
def test_a_record_is_flat_or_an_error_of_ours(value: Any) -> None:
    try:
        (found,) = records([{"field": value}])
    except Unusable:
        assert (
            isinstance(value, list | dict) or not isinstance(value, float | int) or abs(value) > 1e300 or value != value
        )
    else:
        assert found["field"] is None or isinstance(found["field"], int | float | str)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(GOOD)), JSON)
def test_junk_in_a_field_is_an_error_of_ours_or_works(field: str, junk: Any) -> None:
    try:
        row = check(parse(json.dumps(GOOD | {field: junk}).encode()))
    except Unusable as reason:
        assert "\n" not in str(reason)
    else:
        papers = Papers(Results([check(run())], [], parts=[row] if row["kind"] == "part" else []))
        for name in papers.experiments:
            papers.records(name), papers.cells(name), papers.failed(name)


def test_a_file_of_parts_alone_is_enough(tmp_path: Path) -> None:
    found = load(tmp_path, run(), GOOD)
    assert (found.visits, found.parts, found.notes) == ([], [GOOD], [])


def test_parts_of_an_older_group_are_left_out_and_counted(tmp_path: Path) -> None:
    old = run("old", impls="2" * 12, started="2026-02-01T10:00:00Z")
    found = load(tmp_path, old, GOOD | {"run": "old"}, exact(1) | {"run": "old"}, run(), GOOD)
    assert found.parts == [GOOD]
    assert found.notes[0].endswith("1 visits and 1 parts of older ones are left out.")


def test_parts_of_an_unknown_run_are_skipped(tmp_path: Path) -> None:
    found = load(tmp_path, run(), GOOD, GOOD | {"run": "gone"})
    assert found.notes == ["Skipped: 1 part of run 'gone', which no usable line describes."]


def test_the_newest_files_of_the_grid_and_of_the_papers(tmp_path: Path) -> None:
    assert newest_papers(tmp_path) is None
    places = [("a", "papers-quick", "05"), ("b", "papers-smoke", "07"), ("b", "quick", "03"), ("c", "quick", "04")]
    paths = [
        write(tmp_path / folder / f"{name}.jsonl", [run(started=f"2026-03-{day}T10:00:00Z"), exact(1)])
        for folder, name, day in places
    ]
    assert newest_papers(tmp_path) == paths[1]
    assert newest(tmp_path) == paths[3]
    for path in paths[2:]:
        path.unlink()
    with pytest.raises(ResultsError, match="No results file"):
        newest(tmp_path)


def test_bytes_that_are_no_rows_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "papers-quick.jsonl").write_bytes(text([run()]) + b'{"kind": "part"}\n')
    with pytest.raises(ResultsError, match="No visit in"):
        read(tmp_path / "papers-quick.jsonl")
