"""The reader: whole files, torn files, damaged files, several groups."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.rows import Surprise
from reports import Results, ResultsError, missing, read
from reports.load import newest, newest_papers
from tests.reports.suite import suite
from tests.rows import Row, exact, part, run, text, timed, typed, write

TURNS = {"run": "r", "cell": "c", "stage": "look 1", "pair": 0, "started": "2026-03-01T10:00:00Z", "status": "failed"}


def load(content: bytes) -> Results:
    """Read bytes as a results file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "some.jsonl"
        path.write_bytes(content)
        return read(path)


def test_reads_every_visit() -> None:
    rows = suite(workers=2)
    assert len(load(text(rows)).visits) == len(rows) - 1


@given(st.lists(st.binary(max_size=30), max_size=4))
def test_junk_is_an_error_of_ours(lines: list[bytes]) -> None:
    with pytest.raises(ResultsError):
        load(b"\n".join(lines))


def test_a_mark_that_an_editor_puts_in_front_is_no_damage() -> None:
    assert load(b"\xef\xbb\xbf" + text([run(), exact(1)])).notes == []


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
            text([{"kind": "note"}, {"kind": "visit"}]),
            "No row of some.jsonl can be used: Line 1 of some.jsonl is skipped: it is no row of results (Invalid value "
            "'note' - at `$.kind`) (and 1 more lines): measure again, or update gradratio where a later version wrote "
            "it.",
        ),
        (text([3]), "some.jsonl holds no row of results: give a file that `gradratio run` wrote."),
        (
            text([{"kind": "turns"} | TURNS]),
            "No visit in some.jsonl (Skipped: 1 row of a gate, which has no page): measure at least one cell first.",
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


def test_of_a_run_described_in_two_ways_no_row_is_used(tmp_path: Path) -> None:
    other = [run("1" * 12), exact(2, run="1" * 12)]
    found = load(text([run(), exact(1), *other, run(machine={"cores": 99}), exact(3)]))
    told = ["Run '000000000000' is described in two ways: none of its rows is used."]
    assert [one.run for one in found.runs] == ["1" * 12] and len(found.visits) == 1 and found.notes == told
    assert load(text([run(), exact(1), run(), exact(2)])).notes == [], "the same words twice are no other description"
    apart = [
        write(tmp_path / "one.jsonl", [run(), exact(1), *other]),
        write(tmp_path / "two.jsonl", [run(machine={"cores": 99}), exact(3)]),
    ]
    assert read(*apart).notes == told and len(read(*apart).visits) == 1


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


def test_a_later_verdict_on_a_cell_takes_the_place_of_an_earlier_one() -> None:
    verdicts = [
        {"kind": "verdict", "schema": 1, "run": "0" * 12, "surprises": [SURPRISE | {"found": found}]}
        for found in ("oom", "wrong")
    ]
    assert load(text([run(), exact(1), *verdicts])).surprises == [Surprise(**SURPRISE)]


def test_a_missing_file_and_a_folder_are_named_without_their_place(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"^Results file none\.jsonl does not exist: "):
        read(tmp_path / "none.jsonl")
    with pytest.raises(ResultsError, match="cannot be read"):
        read(tmp_path)


# Groups ------------------------------------------------------------------------------------------------------------


def test_only_the_newest_group_counts_and_the_page_says_so() -> None:
    old = run("a", impls="2" * 12, started="2026-01-01T00:00:00Z", cells=["gone"])
    new = run("b", started="2026-02-01T00:00:00Z")
    found = load(text([new, exact(5, run="b"), old, exact(6, run="a"), exact(7, run="a")]))
    assert [row.run for row in found.visits] == ["b"]
    assert missing(found) == []
    assert "the newest of 2 groups" in found.notes[0] and "2 visits of older ones" in found.notes[0]


@pytest.mark.parametrize("change", [{"versions": {"torch": "2.0"}}, {"machine": {"cores": 64}}, {"bench": "2"}])
def test_versions_machine_and_instruments_make_groups_of_their_own(change: dict[str, object]) -> None:
    later = run("b", started="2026-09-01T00:00:00Z", **change)
    found = load(text([run("a"), exact(6, run="a"), later, exact(7, run="b")]))
    assert [row.run for row in found.visits] == ["b"]


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


# Parts -------------------------------------------------------------------------------------------------------------

GOOD = part("training", [{"iteration": 1, "loss": 2.0}], method="backprop")


def filed(folder: Path, *rows: Row) -> Results:
    """The rows, written and read."""
    return read(write(folder / "papers-quick.jsonl", rows))


def test_a_file_of_parts_alone_is_enough(tmp_path: Path) -> None:
    found = filed(tmp_path, run(), GOOD)
    assert (found.visits, found.parts, found.notes) == ([], [typed(GOOD)], [])


def test_parts_of_an_older_group_are_left_out_and_counted(tmp_path: Path) -> None:
    old = run("old", impls="2" * 12, started="2026-02-01T10:00:00Z")
    found = filed(tmp_path, old, GOOD | {"run": "old"}, exact(1) | {"run": "old"}, run(), GOOD)
    assert found.parts == [typed(GOOD)]
    assert found.notes[0].endswith("1 visits and 1 parts of older ones are left out.")


def test_parts_of_an_unknown_run_are_skipped(tmp_path: Path) -> None:
    found = filed(tmp_path, run(), GOOD, GOOD | {"run": "gone"})
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
