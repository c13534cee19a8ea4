"""asv's result files, read as asv wrote them; damaged ones are left out by name."""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.across.asv_files import FAILED, NONE, OK, Entry, read
from reports.across.history import part
from reports.template import render
from tests.damage import JUNK, changed, places
from tests.reports.across.asv_made import BACKPROP, BACKPROP_JAX, GIVEN, commit
from tests.reports.reader import Reader

TRACKS: dict[str, dict[str, Any]] = {
    "R": {BACKPROP: [3.0, 3.5, 2.5], GIVEN: None},
    "compile_s": {BACKPROP: math.nan, GIVEN: math.nan},
    "flops": {BACKPROP: 123_456_789, GIVEN: None},
    "peak_bytes": {BACKPROP: None, GIVEN: None},
}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file of asv."""
    return commit(tmp_path_factory.mktemp("asv"), 1, TRACKS)


def test_every_number_comes_back(sample: Path) -> None:
    ((line,), notes) = read(sample.parents[1])
    assert notes == [] and line.machine == "Some CPU 9000, 2 cores"
    assert line.environment == "Python 3.11, jax 0.10.2, torch 2.13.0"
    (only,) = line.commits
    assert only.hash == "01" * 20 and only.date == 20_001 * 86_400_000
    found = {(track.rpartition("_")[2], cell): entry for (track, cell), entry in only.entries.items()}
    assert found["R", BACKPROP] == Entry(3.0, OK, (3.0, 3.5, 2.5), "1.1")
    assert found["flops", BACKPROP] == Entry(123_456_789.0, OK, (), "1.1")
    assert {found[name, GIVEN].status for name in ("R", "flops")} == {FAILED}
    assert {found["s", cell].status for cell in (BACKPROP, GIVEN)} == {NONE}
    assert {found["bytes", cell].status for cell in (BACKPROP, GIVEN)} == {FAILED}, "asv writes one null for them all"


def test_commits_stand_by_date_and_lines_by_machine_and_environment(tmp_path: Path) -> None:
    flops: dict[str, dict[str, Any]] = {"flops": {BACKPROP_JAX: 1}}
    for day, sha in ((3, "aa" * 20), (1, "bb" * 20), (2, "cc" * 20)):
        commit(tmp_path, day, flops, sha=sha)
    commit(tmp_path, 4, flops, pinned={"torch": "2.14.0"})
    commit(tmp_path, 2, flops, machine="other", cpu="")
    lines, notes = read(tmp_path)
    assert notes == []
    assert [[one.hash[:2] for one in line.commits] for line in lines] == [["04"], ["bb", "cc", "aa"], ["02"]]
    assert [line.machine for line in lines] == ["Some CPU 9000, 2 cores"] * 2 + ["other"]
    assert lines[0].environment == "Python 3.11, torch 2.14.0"


def test_a_line_goes_on_where_a_package_without_a_version_joins_the_environment(tmp_path: Path) -> None:
    for day, more in ((1, {}), (2, {"msgspec": ""})):
        commit(tmp_path, day, {"flops": {BACKPROP_JAX: 1}}, pinned={"torch": "2.13.0", **more})
    (line,), _ = read(tmp_path)
    assert len(line.commits) == 2 and line.environment == "Python 3.11, torch 2.13.0"


def test_the_name_of_an_environment_is_not_shown_since_it_may_be_a_path(sample: Path, tmp_path: Path) -> None:
    document = json.loads(sample.read_text()) | {"env_name": "existing-py_home_someone_bin_python", "requirements": {}}
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "one.json").write_text(json.dumps(document))
    ((line,), _) = read(tmp_path)
    assert line.environment == "Python 3.11" and "someone" not in render(part(tmp_path))


@pytest.mark.parametrize(
    "content, words",
    [
        (b"", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "no results of asv"),
        (b'{"results": {}}', "version None of asv's layout"),
        (b'{"results": {}, "version": 1}', "version 1 of asv's layout"),
        (b'{"results": {}, "version": true}', "version True"),
        (b'{"results": {}, "version": 2}', "which columns"),
        (b'{"results": {}, "version": 2, "result_columns": ["result"]}', "which commit"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_note(sample: Path, tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "machine.json").write_bytes(b"not looked at")
    (tmp_path / "m" / "bad.json").write_bytes(content)
    (tmp_path / "m" / "good.json").write_bytes(sample.read_bytes())
    (lines, (note,)) = read(tmp_path)
    assert len(lines) == 1 and words in note and "bad.json is skipped" in note
    assert note.replace("'", "&#39;") in render(part(tmp_path))


def test_columns_that_do_not_fit_are_damage(sample: Path, tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    for row, words in (
        ([[1.0, 2.0], [["'a'"]]], "other numbers of results"),
        ([[1.0], "abc"], "no lists"),
        ([None, [["x"] * 200] * 2], "more than 10000 cells"),
    ):
        document = json.loads(sample.read_text()) | {"results": {"suite.A.track_R": row}}
        (tmp_path / "m" / "one.json").write_text(json.dumps(document))
        (lines, (note,)) = read(tmp_path)
        assert lines == [] and words in note


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_whatever_a_value_becomes_the_page_stands(sample: Path, data: st.DataObject) -> None:
    document = json.loads(sample.read_text())
    for _ in range(data.draw(st.integers(1, 3))):
        changed(document, data.draw(st.sampled_from(list(places(document)))), data.draw(st.sampled_from(JUNK)))
    content = json.dumps(document).encode()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "m").mkdir()
        kept = len(content) if data.draw(st.booleans()) else data.draw(st.integers(0, len(content)))
        (Path(folder) / "m" / "odd.json").write_bytes(content[:kept])
        (Path(folder) / "m" / "good.json").write_bytes(sample.read_bytes().replace(b"0101", b"0202"))
        lines, notes = read(Path(folder))
        assert sum(len(line.commits) for line in lines) + len(notes) == 2
        source = render(part(Path(folder)))
    reader = Reader(source)
    assert reader.stack == [] and not {tag for tag, _ in reader.tags} & {"script", "img", "iframe"}
    assert not any(letter in source for letter in "\x00\x1b\x07\u202e")
