"""Rows survive: a kill at any byte loses at most the row that was being written, and no damage ends in a traceback."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import rows
from bench.context import location_of
from bench.peers.perform import table as peers_table
from bench.plan import Visit, visit_row
from bench.rows import Keyed, PartRow, RunRow, VerdictRow, VisitRow, append, done, made, plain, printable, read
from bench.summary import summarise, table
from tests.damage import CELL, JUNK, changed, mutants, places, whole
from tests.rows import Row, exact, of_cell, run, text, timed, typed, visit, write

KEY = made(Keyed, {name: run()[name] for name in ("impls", "bench", "versions", "machine")})
UNFINISHED = "was left unfinished when its writer was stopped; it is passed over."


def kept(path: Path, *some: Row) -> Path:
    """The file with these rows appended."""
    for row in some:
        append(path, typed(row))
    return path


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([10**400, "\ud800", "ok"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def finite(value: Any) -> Any:
    """The value as JSON can hold it."""
    if isinstance(value, dict):
        return {name: finite(one) for name, one in value.items()}
    if isinstance(value, list):
        return [finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


numbers = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text()


@given(st.recursive(numbers, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8))
def test_plain_is_what_json_can_hold(value: Any) -> None:
    assert plain(value) == finite(value)


def test_array_scalars_become_numbers() -> None:
    found = plain({"a": np.float32(0.5), "b": [np.int64(3), np.float64("nan")], "c": np.bool_(True)})
    assert found == {"a": 0.5, "b": [3, None], "c": True}


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text(max_size=2000), max_size=4))
def test_what_is_appended_is_read_back(tmp_path_factory: pytest.TempPathFactory, reasons: list[str]) -> None:
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    some = [typed(visit(status="failed", reason=printable(reason))) for reason in reasons]
    for row in some:
        append(path, row)
    assert read(path) == some


@given(st.text(st.characters(codec=None)))
def test_a_printable_text_can_stand_in_a_row_and_stays_as_it_is(words: str) -> None:
    found = printable(words)
    assert typed(visit(reason=found)).reason == found and printable(found) == found
    assert all(one.isprintable() or one == "\u00ad" or ord(one) > 0x9F for one in found)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("‖J‖₂ = 0.8 <b> é 中", "‖J‖₂ = 0.8 <b> é 中"),
        ("\x1b[31mred\x1b[0m", "\ufffd[31mred\ufffd[0m"),
        ("two\r\nlines\tand\u2028more", "two lines and more"),
        ("evil\u202egpj.exe", "evil\ufffdgpj.exe"),
        ("\ud800x\uffff", "\ufffdx\ufffd"),
        ("x" * 3000, "x" * 1999 + "…"),
    ],
)
def test_texts_that_would_act_are_made_harmless(words: str, expected: str) -> None:
    assert printable(words) == expected


def test_a_kill_at_any_byte_of_the_last_line_loses_that_line_alone(tmp_path: Path) -> None:
    first, second, third = (timed(2.0, problem=name, pairs=1) for name in ("eins", "zwé", "d\U0001f701"))
    path = kept(tmp_path / "rows.jsonl", first)
    begun = path.stat().st_size
    whole = kept(path, second).read_bytes()
    for end in range(begun, len(whole) + 1):
        path.write_bytes(whole[:end])
        left = [first, second] if end >= len(whole) - 1 else [first]
        assert read(path) == [typed(row) for row in left]
        notes: list[str] = []
        assert read(kept(path, third), notes) == [typed(row) for row in (*left, third)]
        torn = begun < end < len(whole) - 1
        assert notes == ["Line 2 of rows.jsonl is skipped: it is damaged, no line of JSON."] * torn


def test_a_line_that_a_run_goes_on_after_was_left_unfinished(tmp_path: Path) -> None:
    path = kept(tmp_path / "rows.jsonl", run("a"), exact(1, run="a"))
    path.write_bytes(path.read_bytes()[:-30])
    notes: list[str] = []
    assert len(read(path, notes)) == 1 and notes == [f"Line 2 of rows.jsonl {UNFINISHED}"]
    kept(path, run("b"))
    assert len(read(path, notes)) == 2 and notes[1:] == notes[:1]
    path.write_bytes(path.read_bytes()[:9])
    assert read(path) == []  # the first line of all, that a writer was stopped in


def test_no_file_holds_no_rows(tmp_path: Path) -> None:
    assert read(tmp_path / "none.jsonl") == [] and done(tmp_path / "none.jsonl", KEY) == set()


@pytest.mark.parametrize("line", ["12", "[]", '{"a": 1}', "null"])
def test_a_file_of_something_else_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "other.jsonl").write_text(line + "\n")
    with pytest.raises(ValueError, match=r"^other\.jsonl holds no row of results"):
        read(tmp_path / "other.jsonl")


def test_done_is_what_measuring_again_would_not_change(tmp_path: Path) -> None:
    path = kept(tmp_path / "rows.jsonl", run())
    for status in ("ok", "wrong", "n/a", "timeout", "oom", "failed", "diverged"):
        kept(path, visit(cell=status, worker=3, status=status))
    kept(path, visit(cell="skipped", status="n/a", reason=f"{rows.SKIPPED} timeout"))
    assert done(path, KEY) == {(status, "exact", 3) for status in ("ok", "wrong", "n/a")}
    assert done(path, KEY, since=1) == set()


OTHER = {"impls": "2" * 12, "bench": "x", "versions": {"torch": None}, "machine": {"cores": 64}}


@pytest.mark.parametrize("name", OTHER)
def test_done_counts_no_run_of_other_sources_versions_or_machines(tmp_path: Path, name: str) -> None:
    path = kept(tmp_path / "rows.jsonl", run("r", **{name: OTHER[name]}), visit(run="r"), visit(run="lost its run"))
    assert done(path, KEY) == set()
    kept(path, run("s"), visit(run="s", cell="cell"))
    assert done(path, KEY) == {("cell", "exact", 0)}


def test_rows_of_a_dirty_tree_never_go_under_its_commit() -> None:
    commit = "0123456789abcdef" * 2
    assert location_of("quick", commit, False) == Path("results/0123456789ab/quick.jsonl")
    assert location_of("quick", commit, True) == Path("results/local/quick.jsonl")
    assert location_of("quick", None, False) == Path("results/local/quick.jsonl")


@pytest.mark.parametrize("path", sorted(rows.ROOT.glob("results/**/*.jsonl")), ids=lambda path: path.parent.name)
def test_every_committed_row_is_read(path: Path) -> None:
    notes: list[str] = []
    assert len(read(path, notes)) == path.read_bytes().count(b"\n") and notes == []


# Answers ------------------------------------------------------------------------------------------------------------

ANSWER: Row = {"status": "ok", "reason": "", "started": rows.now(), "load": 0.5, "conditions": {}}


def test_a_worker_s_answer_becomes_a_row() -> None:
    answer = ANSWER | {"samples": {"forward_s": [1 / 3], "gradient_s": [1.0]}, "values": {"compile_s": math.nan}}
    row = visit_row("r", Visit(CELL, "time", 2), answer | {"sizes": {"width": 4}}, 1, 0.12345)
    assert isinstance(row, VisitRow) and row.key == (CELL.id, "time", 2)
    assert row.samples.forward_s == [0.333333333] and row.values.compile_s is None and row.sizes == {"width": 4}
    assert (row.core, row.seconds, row.conditions) == (1, 0.123, None)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"values": {"peak_bytes": -1}}, "Expected `int` >= 0 - at `$.values.peak_bytes`."),
        ({"values": {"peek_bytes": 1}}, "No such values are known: peek_bytes."),
        ({"sizes": {"width": [1]}}, "got `array` - at `$.sizes[...]`."),
    ],
)
def test_an_answer_that_makes_no_row_is_a_row_that_failed(found: Row, words: str) -> None:
    row = visit_row("r", Visit(CELL, "exact", 0), ANSWER | found, None, 1.0)
    assert isinstance(row, VisitRow) and row.status == "failed" and row.values == rows.Values()
    assert row.reason.startswith("What the worker answered is no row of results: ") and row.reason.endswith(words)


# Damage -------------------------------------------------------------------------------------------------------------


def used(path: Path) -> list[str]:
    """All that commands make of a file's rows; the sentences on lines that were skipped."""
    notes: list[str] = []
    found = read(path, notes)
    assert isinstance(done(path, KEY), set)
    assert table(summarise(found, [CELL]))
    assert peers_table([row for row in found if isinstance(row, PartRow)])
    return notes


WHOLE = whole()
PLACES = [place for place in places(WHOLE) if len(place) > 1]


def test_a_whole_file_is_read_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", whole())
    assert used(path) == [] and read(path) == [typed(row) for row in whole()]
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert used(path) == [] and len(read(path)) == len(whole()), "an editor's mark in front is no damage"


@pytest.mark.parametrize("junk", JUNK, ids=lambda junk: repr(junk)[:20])
@pytest.mark.few(4)
def test_no_value_in_no_field_ends_in_a_traceback_and_its_line_alone_is_lost(junk: Any, tmp_path: Path) -> None:
    for place in PLACES:
        some = whole()
        changed(some, place, junk)
        path = write(tmp_path / "rows.jsonl", some)
        notes = used(path)
        assert len(read(path)) == len(whole()) - len(notes), place
        assert all(note.startswith(f"Line {place[0] + 1} of rows.jsonl is skipped: it is ") for note in notes)


DAMAGE: list[tuple[tuple[Any, ...], Any, str]] = [
    ((0, "run"), 7, "Expected `str`, got `int` - at `$.run`"),
    ((0, "impls"), None, "Expected `str`, got `null` - at `$.impls`"),
    ((0, "started"), "yesterday", "Expected `str` matching regex"),
    ((0, "machine", "cores"), "two", "Expected `int | null`, got `str` - at `$.machine.cores`"),
    ((0, "cells", 0), 1, "Expected `str`, got `int` - at `$.cells[0]`"),
    ((1, "kind"), "note", "Invalid value 'note' - at `$.kind`"),
    ((1, "schema"), 2, "Invalid enum value 2 - at `$.schema`"),
    ((1, "schema"), True, "Expected `int`, got `bool` - at `$.schema`"),
    ((1, "status"), "okay", "Invalid enum value 'okay' - at `$.status`"),
    ((1, "status"), [], "Expected `str`, got `array` - at `$.status`"),
    ((1, "reason"), ..., "Object missing required field `reason`"),
    ((1, "reason"), "a\x1b", "Expected a text that can be shown, got 'a\ufffd'"),
    ((1, "seed"), 10**30, "Expected `int` <= 9223372036854775807 - at `$.seed`"),
    ((1, "worker"), 1.0, "Expected `int`, got `float` - at `$.worker`"),
    ((1, "worker"), -1, "Expected `int` >= 0 - at `$.worker`"),
    ((1, "sizes"), {str(n): n for n in range(40)}, "Expected `object` of length <= 32 - at `$.sizes`"),
    ((1, "sizes"), {"depth": 10**16}, "Expected `int` <= 1000000000000000 - at `$.sizes[...]`"),
    ((1, "values"), ..., "Object missing required field `values`"),
    ((1, "values", "traffic"), "30", "Expected `int | float | null`, got `str` - at `$.values.traffic`"),
    ((1, "values", "peak_bytes"), 10**19, "Expected `int` <= 1000000000000000000 - at `$.values.peak_bytes`"),
    ((1, "values", "gradient_error"), 10**400, "Expected `int` <= 9223372036854775807 - at `$.values.gradient_error`"),
    ((2, "samples"), {}, "A time visit that is ok has samples"),
    (
        (2, "samples", "forward_s"),
        [0.5],
        "As many forwards as gradient calls are expected - at `$.samples`",
    ),
    ((2, "samples", "forward_s", 0), 0.0, "Expected `float` > 0.0 - at `$.samples.forward_s[0]`"),
    ((2, "samples", "gradient_s", 1), None, "Expected `float`, got `null` - at `$.samples.gradient_s[1]`"),
    ((2, "conditions", "load"), "high", "got `str` - at `$.conditions.load`"),
    ((3, "records"), {}, "Expected `array`, got `object` - at `$.records`"),
    ((3, "records", 0, "cell"), ..., "A contender has a cell and a status"),
    ((3, "records", 0, "ratio"), "1", "A contender's ratio is above 0"),
    ((3, "records", 0, "error"), [1], "got `array` - at `$.records[0][...]`"),
    ((4, "run"), ..., "Object missing required field `run`"),
    ((4, "surprises", 0), 1, "Expected `object`, got `int` - at `$.surprises[0]`"),
]


@pytest.mark.parametrize(("place", "junk", "why"), DAMAGE)
def test_a_field_that_is_not_what_it_must_be_costs_its_line(
    place: tuple[Any, ...], junk: Any, why: str, tmp_path: Path
) -> None:
    some = whole()
    changed(some, place, junk)
    (note,) = used(write(tmp_path / "rows.jsonl", some))
    assert note.startswith(f"Line {place[0] + 1} of rows.jsonl is skipped: it is no row of results (") and why in note


@pytest.mark.parametrize(
    "line", [b'{"x": ' + b"[" * 100_000, b"\xff\xfe\x00", b'{"kind": "vi', b'{"kind": NaN}', b'{"kind": "visit"} x']
)
def test_what_is_no_json_is_damaged(line: bytes, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(text(whole()[:1]) + line + b"\n" + text(whole()[1:]))
    assert used(path) == ["Line 2 of rows.jsonl is skipped: it is damaged, no line of JSON."]


def test_what_is_unknown_is_no_damage(tmp_path: Path) -> None:
    some = [run(a_later_field=1), exact(1, values={"held_bytes": None, "some_later_value": "text"}) | {"later": [1]}]
    assert used(write(tmp_path / "rows.jsonl", some)) == []


@pytest.mark.parametrize("batch", [0, *(pytest.param(batch, marks=pytest.mark.long) for batch in range(1, 10))])
def test_of_ten_thousand_damaged_files_no_command_ends_in_a_traceback(batch: int, tmp_path: Path) -> None:
    dice = random.Random(batch)
    path = tmp_path / "rows.jsonl"
    for _ in range(1000):
        content = mutants(dice, WHOLE)
        path.write_bytes(content)
        try:
            notes = used(path)
        except ValueError as error:
            assert str(error).startswith("rows.jsonl holds no row of results")
            continue
        lines = [line for line in content.split(b"\n") if line.strip()]
        assert len(read(path)) + len(notes) == len(lines), "each line is a row or is named"


def test_a_good_row_without_its_other_measure_is_missing() -> None:
    (one,) = summarise([typed(run()), typed(of_cell(CELL, values={"flops": 1}))], [CELL])
    assert (one.status, one.reason, one.interval) == ("missing", "not measured: time", None)


def test_rows_are_typed_by_kind(tmp_path: Path) -> None:
    found = read(write(tmp_path / "rows.jsonl", whole()))
    assert [type(row) for row in found] == [RunRow, VisitRow, VisitRow, PartRow, VerdictRow]
