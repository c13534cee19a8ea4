"""Rows survive: a kill at any byte loses at most the row that was being written."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench import store

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
rows = st.lists(st.dictionaries(st.text(), trees).map(lambda row: {**row, **visit("r", "cell")}), max_size=4)


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
