"""The reader: whole files, torn files, damaged files, several groups."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports import Results, ResultsError, cells, missing, read, samples
from tests.reports.suite import suite
from tests.rows import exact, run, text, timed, visit, write

SMALL = text(
    [
        run(cells=["a", "ü"]),
        timed(2.0),
        exact(100),
        visit(status="failed", reason="Größe"),
        timed(2.1, worker=1),
        exact(7),
    ]
)
FIRST_VISIT = SMALL.index(b"\n", SMALL.index(b"\n") + 1)


def load(content: bytes) -> Results:
    """Read bytes as a results file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "some.jsonl"
        path.write_bytes(content)
        return read(path)


def test_reads_every_visit() -> None:
    rows = suite(workers=2)
    assert len(load(text(rows)).visits) == len(rows) - 1


@given(st.integers(min_value=0, max_value=len(SMALL)))
def test_truncation_loses_no_whole_line(cut: int) -> None:
    whole = [line for line in SMALL.split(b"\n")[:-1] if SMALL.index(line) + len(line) <= cut]
    if cut < FIRST_VISIT:
        with pytest.raises(ResultsError, match=r"No visit|is empty|No row of some\.jsonl can be used"):
            load(SMALL[:cut])
    else:
        found = load(SMALL[:cut])
        assert found.visits == [json.loads(line) for line in whole[1:]]
        assert bool(found.notes) == (cut - sum(len(line) + 1 for line in whole) > 0)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3),
)


@given(st.lists(st.binary(max_size=30) | JSON.map(lambda value: json.dumps(value).encode()), max_size=4))
def test_junk_is_an_error_of_ours(lines: list[bytes]) -> None:
    with pytest.raises(ResultsError):
        load(b"\n".join(lines))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(timed(2.0))), JSON)
def test_junk_in_a_field_is_an_error_of_ours_or_works(field: str, junk: object) -> None:
    try:
        found = load(text([run(), timed(2.0) | {field: junk}]))
    except ResultsError as error:
        assert "\n" not in str(error)
    else:
        cells(found), samples(found), missing(found)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["samples", "values"]),
    st.dictionaries(st.sampled_from(["forward_s", "gradient_s", "compile_s", "peak_bytes"]), JSON),
)
def test_junk_among_the_numbers_is_an_error_of_ours_or_works(field: str, junk: object) -> None:
    try:
        found = load(text([run(), timed(2.0) | {field: junk}, exact(3) | {field: junk}]))
    except ResultsError:
        return
    cells(found), samples(found)


def test_a_line_torn_by_a_kill_before_a_new_run_is_passed_over() -> None:
    found = load(text([run("a"), timed(2.0, run="a")]) + b'{"kind": "vis\n' + text([run("b"), exact(5, run="b")]))
    assert len(found.visits) == 2
    assert found.notes == ["Line 3 of some.jsonl was left unfinished when its writer was stopped; it is passed over."]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Results file some.jsonl is empty: run the benchmark first."),
        (b" \n\n", "Results file some.jsonl is empty: run the benchmark first."),
        (text([run()]), "No visit in some.jsonl: measure at least one cell first."),
        (
            text([{"kind": "note"}, 3]),
            "No row of some.jsonl can be used: Line 1 of some.jsonl is skipped: it is of the unknown kind 'note' "
            "(and 1 more lines); measure again.",
        ),
        (
            text([run(), exact(1) | {"run": "other"}]),
            "No visit in some.jsonl (Skipped: 1 visit of run 'other', which no usable line describes): "
            "measure at least one cell first.",
        ),
    ],
)
def test_an_error_is_raised_only_where_nothing_is_left(content: bytes, message: str) -> None:
    with pytest.raises(ResultsError) as caught:
        load(content)
    assert str(caught.value) == message


SURPRISE = {"cell": "a", "expected": "ok", "found": "wrong", "why": "known"}


def test_visits_of_an_unknown_run_are_skipped_by_its_name() -> None:
    lost = [
        exact(5, run="gone"),
        timed(2.0, run="gone"),
        {"kind": "verdict", "schema": 1, "run": "lost", "surprises": []},
    ]
    found = load(text([run(), exact(1), *lost]))
    assert len(found.visits) == 1
    assert found.notes == [
        "Skipped: 2 visits of run 'gone', which no usable line describes.",
        "Skipped: 1 verdict of run 'lost', which no usable line describes.",
    ]


def test_a_run_described_twice_keeps_its_first_description() -> None:
    found = load(text([run(), exact(1), run(), run(machine={"cores": 99})]))
    assert found.run["machine"]["cores"] == 2
    assert found.notes == ["A second description of run '000000000000' is skipped: it differs from the first."]


def test_a_file_without_a_usable_row_is_skipped_by_name(tmp_path: Path) -> None:
    good = write(tmp_path / "good.jsonl", [run(), exact(1)])
    (tmp_path / "bad.jsonl").write_bytes(b"\x00\x01\n")
    found = read(tmp_path / "bad.jsonl", tmp_path / "none.jsonl", good)
    assert len(found.visits) == 1
    assert [note.split(" is skipped. ")[0] for note in found.notes] == [
        "Results file bad.jsonl",
        "Results file none.jsonl",
    ]
    assert "does not exist" in found.notes[1]


def test_the_first_notes_are_shown_and_the_others_counted() -> None:
    found = load(text([run(), exact(1), *range(30)]))
    assert len(found.notes) == 30 and len(found.told) == 21
    assert found.told[-1] == "And 10 more notes like these."


def test_a_start_that_is_no_time_is_never_the_newest() -> None:
    found = load(text([run("a"), exact(1, run="a"), run("b", started="zzzz", impls="x"), exact(2, run="b")]))
    assert [visit["run"] for visit in found.visits] == ["a"]


def test_a_later_verdict_on_a_cell_takes_the_place_of_an_earlier_one() -> None:
    verdicts = [
        {"kind": "verdict", "schema": 1, "run": "0" * 12, "surprises": [SURPRISE | {"found": found}]}
        for found in ("oom", "wrong")
    ]
    assert load(text([run(), exact(1), *verdicts])).surprises == [SURPRISE]


def test_a_missing_file_and_a_folder_are_named_without_their_place(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"^Results file none\.jsonl does not exist: "):
        read(tmp_path / "none.jsonl")
    with pytest.raises(ResultsError, match="cannot be read"):
        read(tmp_path)
