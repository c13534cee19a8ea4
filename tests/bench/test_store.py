"""Rows survive: a kill at any byte loses at most the row that was being written."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench import store
from bench.cells import Cell
from bench.peers import table as peers_table
from bench.summary import summarise, table

KEY = {
    "impls": "a" * 12,
    "bench": "1",
    "versions": {"python": "3.11.7", "torch": None},
    "machine": {"cores": 2},
}


def run(name: str, **changes: object) -> store.Row:
    return {"kind": "run", "run": name, **KEY, **changes}


def visit(name: str, cell: str, worker: int = 0, status: str = "ok", measure: str = "time") -> store.Row:
    return {
        "kind": "visit",
        "run": name,
        "cell": cell,
        "measure": measure,
        "worker": worker,
        "status": status,
    }


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
trees = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
names = st.text().filter(lambda name: name != "schema" and name not in store.WHOLE["visit"])
"""Of fields that are not read here: what the others may be is tried below."""
rows = st.lists(st.dictionaries(names, trees).map(lambda row: {**row, **visit("r", "cell")}), max_size=4)


def finite(value: object) -> object:
    """The value as JSON can hold it."""
    if isinstance(value, dict):
        return {name: finite(one) for name, one in value.items()}
    if isinstance(value, list):
        return [finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(rows)
def test_what_is_appended_is_read_back(tmp_path: Path, rows: list[store.Row]) -> None:
    path = tmp_path / "rows.jsonl"
    path.unlink(missing_ok=True)
    for row in rows:
        store.append(path, row)
    assert store.read(path) == [finite(row) for row in rows]


def test_nan_and_infinity_become_null(tmp_path: Path) -> None:
    store.append(tmp_path / "a" / "b.jsonl", {"kind": "visit", "x": [math.nan, math.inf, -math.inf, 1.5]})
    assert json.loads((tmp_path / "a" / "b.jsonl").read_text()) == {
        "kind": "visit",
        "x": [None, None, None, 1.5],
    }


def test_a_kill_at_any_byte_of_the_last_line_loses_that_line_alone(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    first, second, third = ({**visit(name, "cell"), "×": [1, {"y": None}]} for name in ("eins", "zwé", "\n3"))
    store.append(path, first)
    begun = path.stat().st_size
    store.append(path, second)
    whole = path.read_bytes()
    for end in range(begun, len(whole) + 1):
        path.write_bytes(whole[:end])
        kept = [first, second] if end >= len(whole) - 1 else [first]
        assert store.read(path) == kept
        store.append(path, third)
        assert store.read(path) == [*kept, third]


def test_no_file_holds_no_rows(tmp_path: Path) -> None:
    assert store.read(tmp_path / "none.jsonl") == []
    assert store.done(tmp_path / "none.jsonl", KEY) == set()


@pytest.mark.parametrize("line", ["12", "[]", '{"a": 1}', "null"])
def test_a_file_of_something_else_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "other.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(ValueError, match=r"^other\.jsonl holds no row of results"):
        store.read(path)


def test_done_is_what_measuring_again_would_not_change(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    store.append(path, run("r"))
    for status in ("ok", "wrong", "n/a", "timeout", "oom", "failed", "diverged"):
        store.append(path, visit("r", status, worker=3, status=status))
    assert store.done(path, KEY) == {(status, "time", 3) for status in ("ok", "wrong", "n/a")}


@pytest.mark.parametrize("name", store.KEY)
def test_done_counts_no_run_of_other_sources_versions_or_machines(tmp_path: Path, name: str) -> None:
    path = tmp_path / "rows.jsonl"
    store.append(path, run("r", **{name: "another"}))
    store.append(path, visit("r", "cell"))
    store.append(path, visit("lost its run", "cell"))
    assert store.done(path, KEY) == set()
    store.append(path, run("s"))
    store.append(path, visit("s", "cell"))
    assert store.done(path, KEY) == {("cell", "time", 0)}


def test_rows_of_a_dirty_tree_never_go_under_its_commit() -> None:
    commit = "0123456789abcdef" * 2
    assert store.location("quick", commit, False) == Path("results/0123456789ab/quick.jsonl")
    assert store.location("quick", commit, True) == Path("results/local/quick.jsonl")
    assert store.location("quick", None, False) == Path("results/local/quick.jsonl")


def test_damaged_lines_are_skipped_by_name_and_the_rest_is_used(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    store.append(path, run("r"))
    with path.open("ab") as file:
        file.write(b"[" * 100_000 + b"\n" + b'{"kind": "visit", "run": 7}\n' + b"\xff\xfe\n" + b'{"kind": []}\n')
    store.append(path, visit("r", "cell"))
    notes: list[str] = []
    assert [row["kind"] for row in store.read(path, notes)] == ["run", "visit"]
    assert notes == [f"Line {number} of rows.jsonl is no row of results and is skipped." for number in (2, 3, 4, 5)]
    assert store.done(path, KEY) == {("cell", "time", 0)}


CELL = Cell("torch", "tanh", "ift")


def whole() -> list[store.Row]:
    """A small file as it is written: a row of each kind."""
    made = {"schema": 1, "run": "r", "cell": CELL.id, "worker": 0, "status": "ok", "reason": ""}
    samples = {"forward_s": [0.5, 0.5], "gradient_s": [1.0, 1.5]}
    exact = {"peak_bytes": 8, "traffic": 30, "forward_traffic": 10, "gradient_error": 1e-7, "flop_ratio": 2.0}
    record = {"cell": "c", "contender": "ours", "status": "ok", "ratio": 1.0, "error": None}
    return [
        run("r", schema=1, cells=[CELL.id]),
        {"kind": "visit", **made, "measure": "exact", "samples": {}, "values": exact},
        {"kind": "visit", **made, "measure": "time", "samples": samples, "values": {"compile_s": None}},
        {"kind": "part", **made, "measure": "part", "framework": "torch", "records": [record]},
        {"kind": "verdict", "schema": 1, "run": "r", "surprises": []},
    ]


def places(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every field of a table, and to every entry of a list in it."""
    for name in value if isinstance(value, dict) else range(len(value)):
        yield (*before, name)
        if isinstance(value[name], dict | list):
            yield from places(value[name], (*before, name))


def changed(place: tuple[Any, ...], junk: Any) -> list[store.Row]:
    """The rows with another value in one place; ``junk`` of ``...`` takes the field away."""
    rows = copy.deepcopy(whole())
    *way, last = place
    inside: Any = rows
    for name in way:
        inside = inside[name]
    if junk is ...:
        del inside[last]
    else:
        inside[last] = junk
    return rows


def used(path: Path) -> list[str]:
    """All that is made of a file's rows; the sentences on lines that were skipped."""
    notes: list[str] = []
    rows = store.read(path, notes)
    assert isinstance(store.done(path, KEY), set)
    assert table(summarise(rows, [CELL]))
    assert peers_table.table([row for row in rows if row["kind"] == "part"])
    return notes


def written(path: Path, rows: list[store.Row]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


PLACES = [place for place in places(whole()) if len(place) > 1]
JUNK: tuple[Any, ...] = (
    ...,
    None,
    True,
    -1,
    2.5,
    10**400,
    1e308,
    math.nan,
    math.inf,
    "",
    "no such word",
    "\ud800",
    [],
    [None],
    {},
    {"a": [{}]},
)


def test_a_whole_file_is_read_whole(tmp_path: Path) -> None:
    path = written(tmp_path / "rows.jsonl", whole())
    assert used(path) == [] and store.read(path) == whole()
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert used(path) == [] and store.read(path) == whole(), "an editor's mark in front is no damage"


@pytest.mark.parametrize("place", PLACES, ids=lambda place: ".".join(map(str, place)))
def test_no_value_in_no_field_ends_in_a_traceback_and_its_line_alone_is_lost(
    place: tuple[Any, ...], tmp_path: Path
) -> None:
    for junk in JUNK:
        path = written(tmp_path / "rows.jsonl", changed(place, junk))
        notes = used(path)
        named = [f"Line {place[0] + 1} of rows.jsonl is no row of results and is skipped."]
        assert notes in ([], named), (place, junk)
        assert len(store.read(path)) == len(whole()) - len(notes)


@pytest.mark.parametrize(
    ("place", "junk"),
    [
        ((0, "run"), 7),
        ((0, "impls"), None),
        ((1, "schema"), 2),
        ((1, "schema"), True),
        ((1, "status"), "okay"),
        ((1, "status"), []),
        ((1, "reason"), None),
        ((1, "reason"), ...),
        ((1, "reason"), ["x"]),
        ((1, "worker"), True),
        ((1, "worker"), 1.0),
        ((1, "worker"), -1),
        ((1, "values"), []),
        ((1, "values"), ...),
        ((1, "values", "traffic"), "30"),
        ((1, "values", "peak_bytes"), {}),
        ((1, "values", "gradient_error"), 10**400),
        ((2, "samples"), {}),
        ((2, "samples"), ...),
        ((2, "samples", "forward_s"), []),
        ((2, "samples", "forward_s"), [0.5]),
        ((2, "samples", "forward_s", 0), 0.0),
        ((2, "samples", "gradient_s", 1), None),
        ((2, "samples", "gradient_s", 1), 10**400),
        ((2, "samples", "gradient_s", 1), math.nan),
        ((3, "records"), {}),
        ((3, "records", 0), []),
        ((3, "records", 0, "cell"), ...),
        ((3, "records", 0, "ratio"), "1"),
        ((3, "records", 0, "error"), [1]),
        ((3, "framework"), 3),
        ((4, "run"), ...),
    ],
)
def test_a_field_that_is_read_and_is_not_what_it_must_be_costs_its_line(
    place: tuple[Any, ...], junk: Any, tmp_path: Path
) -> None:
    path = written(tmp_path / "rows.jsonl", changed(place, junk))
    assert used(path) == [f"Line {place[0] + 1} of rows.jsonl is no row of results and is skipped."]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([10**400, "\ud800", "ok"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(st.sampled_from(PLACES), json_values, st.binary(max_size=30))
def test_whatever_stands_in_a_line_the_others_are_used(
    tmp_path: Path, place: tuple[Any, ...], junk: Any, line: bytes
) -> None:
    path = written(tmp_path / "rows.jsonl", changed(place, junk))
    with path.open("ab") as file:
        file.write(line.replace(b"\n", b" ") + b"\n")
    notes = used(path)
    assert {note.split()[1] for note in notes} <= {str(place[0] + 1), str(len(whole()) + 1)}


def test_a_good_row_without_times_is_missing_and_not_a_number(tmp_path: Path) -> None:
    """As in rows that say no schema."""
    (one,) = summarise([run("r"), visit("r", CELL.id), visit("r", CELL.id, measure="exact")], [CELL])
    assert (one.status, one.reason, one.interval) == ("missing", "not measured: time", None)
