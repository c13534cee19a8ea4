"""The reader: whole files, torn files, damaged files, several groups."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports import Results, ResultsError, cells, missing, read, samples
from reports.load import newest
from tests.reports.suite import suite
from tests.reports.synthetic import exact, run, text, timed, visit, write

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
        with pytest.raises(ResultsError, match=r"No visit|is empty"):
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
            text([run(), exact(1)]) + b'{"kind": "vi\n' + text([exact(2)]),
            "Line 3 of some.jsonl is damaged: remove the line or measure again.",
        ),
        (
            text([run() | {"schema": 2}, exact(1)]),
            "Line 1 of some.jsonl has schema 2, but this report reads schema 1",
        ),
        (text([{"kind": "note"}]), "Line 1 of some.jsonl is no row of results"),
        (text([run(), exact(1) | {"status": "fine"}]), "Line 2 of some.jsonl has the unknown status 'fine'"),
        (text([run(), exact(1) | {"worker": None}]), "Line 2 of some.jsonl needs 'worker' as int"),
        (
            text([run(), exact(1) | {"run": "other"}]),
            "belongs to run 'other', which some.jsonl does not describe: ",
        ),
    ],
)
def test_what_is_wrong_is_named(content: bytes, message: str) -> None:
    with pytest.raises(ResultsError) as caught:
        load(content)
    assert message in str(caught.value)


def test_a_missing_file_and_a_folder_are_named_without_their_place(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"^Results file none\.jsonl does not exist: "):
        read(tmp_path / "none.jsonl")
    with pytest.raises(ResultsError, match="cannot be read"):
        read(tmp_path)


def test_only_the_newest_group_counts_and_the_page_says_so() -> None:
    old = run("a", impls="2" * 12, started="2026-01-01T00:00:00Z", cells=["gone"])
    new = run("b", started="2026-02-01T00:00:00Z")
    found = load(text([new, exact(5, run="b"), old, exact(6, run="a"), exact(7, run="a")]))
    assert [row["run"] for row in found.visits] == ["b"]
    assert missing(found) == []
    assert "the newest of 2 groups" in found.notes[0] and "2 visits of older ones" in found.notes[0]


@pytest.mark.parametrize("change", [{"versions": {"torch": "2.0"}}, {"machine": {"cores": 64}}, {"bench": "2"}])
def test_versions_machine_and_instruments_make_groups_of_their_own(change: dict[str, object]) -> None:
    later = run("b", started="2026-09-01T00:00:00Z", **change)
    found = load(text([run("a"), exact(6, run="a"), later, exact(7, run="b")]))
    assert [row["run"] for row in found.visits] == ["b"]


def test_runs_of_one_group_add_up_over_files(tmp_path: Path) -> None:
    one = write(tmp_path / "one.jsonl", [run("a"), timed(2.0, run="a")])
    two = write(tmp_path / "two.jsonl", [run("b"), exact(9, run="b")])
    assert len(read(one, two).visits) == 2


def test_the_newest_file_is_the_one_whose_run_started_last(tmp_path: Path) -> None:
    write(tmp_path / "aaaa" / "quick.jsonl", [run(started="2026-05-01T00:00:00Z"), exact(1)])
    write(tmp_path / "local" / "quick.jsonl", [run(started="2026-04-01T00:00:00Z"), exact(1)])
    assert newest(tmp_path).parent.name == "aaaa"
    with pytest.raises(ResultsError, match="run the benchmark first"):
        newest(tmp_path / "aaaa")
