"""The part of the page on commits that asv tracked: what changed, what is left out, and the figure."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from reports.across.asv_files import read
from reports.across.changes import changes
from reports.across.drift import MOST_LINES, chosen, drift
from reports.across.history import Told, part
from reports.part import Part
from reports.template import render
from tests.reports.across.asv_made import BACKPROP, BACKPROP_JAX, GIVEN, IFT, JFB, commit
from tests.reports.across.sides import workers
from tests.reports.reader import Reader
from tests.reports.test_hostile import MARKUP

CELLS = (BACKPROP, BACKPROP_JAX, GIVEN, IFT, JFB)


def tracked(slower: dict[str, float], **exact: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """R of every cell, 2 unless told otherwise, and other tracks."""
    return {"R": {cell: workers(2 * slower.get(cell, 1.0), 0.01) for cell in CELLS}, **exact}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Part:
    """Three commits: IFT gets slower with the second, the third takes more bytes and breaks a cell."""
    folder = tmp_path_factory.mktemp("asv")
    commit(folder, 1, tracked({}, peak_bytes={BACKPROP: 1000, JFB: 500}))
    commit(folder, 2, tracked({IFT: 1.5}, peak_bytes={BACKPROP: 1000, JFB: 500}))
    third = tracked({IFT: 1.5}, peak_bytes={BACKPROP: 1008, JFB: 500}, flops={JFB: 7})
    third["R"][GIVEN] = None
    commit(folder, 3, third)
    return part(folder)


def test_the_newest_commit_is_held_against_the_one_before_and_the_first(made: Part) -> None:
    (told,) = made.content.lines
    assert isinstance(told, Told) and told.fresh == 1
    found = {(one.track, one.cell): (one.last.verdict, one.first.verdict) for one in told.changes}
    assert found == {
        ("R", BACKPROP): ("same", "same"),
        ("R", BACKPROP_JAX): ("same", "same"),
        ("R", GIVEN): ("worse", "worse"),
        ("R", IFT): ("same", "worse"),
        ("R", JFB): ("same", "same"),
        ("peak_bytes", BACKPROP): ("worse", "worse"),
        ("peak_bytes", JFB): ("same", "same"),
    }
    assert [(one.track, one.cell) for one in told.moved] == [("R", GIVEN), ("peak_bytes", BACKPROP), ("R", IFT)]
    slower = told.moved[-1].first
    assert slower.ratio.value == pytest.approx(1.5) and slower.ratio.low < 1.5 < slower.ratio.high
    assert told.last == [("worse", 2), ("better", 0), ("not decided", 0), ("same", 5)]


def test_the_page_says_it(made: Part) -> None:
    source = render(made)
    text = re.sub(r"\s+", " ", re.sub(r"<svg.*?</svg>|<[^>]+>", " ", source, flags=re.DOTALL))
    assert "3 commits, from 010101010101 of 2024-10-05 to 030303030303 of 2024-10-07." in text
    assert "Of 7 numbers, against 020202020202 of 2024-10-06: 2 worse, 0 better, 0 not decided, 5 same" in text
    assert "1 number has no earlier one." in text and "8 B more 1.00 kB → 1.01 kB" in text and "ok → failed" in text
    assert "Some CPU 9000, 2 cores" in text and "Python 3.11, jax 0.10.2, torch 2.13.0" in text
    assert text.count("the time of") == 3 and "likewise at 1.50, without an interval." in text
    reader = Reader(source)
    assert reader.stack == [] and len(reader.ids) == len(set(reader.ids))


def test_the_figure_holds_r_of_each_commit(made: Part) -> None:
    (drawing,) = made.drawings
    assert drawing.name == "history-ratios-1" and set(made.data) == {"history-ratios-1", "history"}
    data = drawing.data[drawing.data["cell"] == IFT]
    middle = (1.01 + 1 / 1.01) / 2  # of an even number of workers, half above and half below
    assert data["R"].tolist() == pytest.approx([2 * middle, 3 * middle, 3 * middle])
    assert [one[:2] for one in data["commit"]] == ["01", "02", "03"]
    assert GIVEN not in set(drawing.data["cell"]), "it has no R in the newest commit"
    assert "IFT, GMRES, torch: R, in forwards (log) 2.00" in drawing.svg


def test_the_table_has_a_row_a_number(made: Part) -> None:
    table = made.data["history"].set_index(["track", "cell"])
    row = table.loc[("R", IFT)]
    assert row["first_quotient"] == pytest.approx(1.5) and row["first_class"] == "worse" and len(table) == 7
    assert table.loc[("R", GIVEN), "status"] == "failed"


def test_a_new_version_of_a_benchmark_begins_anew(tmp_path: Path) -> None:
    commit(tmp_path, 1, tracked({}), version="1.1")
    commit(tmp_path, 2, tracked({IFT: 3.0}), version="2.1")
    ((line,), _) = read(tmp_path)
    assert changes(line) == ([], len(CELLS)) and drift(line, 1) is None
    commit(tmp_path, 3, tracked({}), version="1.1")
    ((line,), _) = read(tmp_path)
    found, fresh = changes(line)
    assert fresh == 0 and {one.first.verdict for one in found} == {"same"}, "version 1.1 is held against its own"


def test_rows_of_old_and_new_versions_stay_in_the_data_apart(tmp_path: Path) -> None:
    commit(tmp_path, 1, {"R": {IFT: workers(2.0), JFB: workers(5.0)}}, version="1.1")
    commit(tmp_path, 2, {"R": {IFT: workers(3.0), JFB: workers(5.0)}}, version="1.1")
    commit(tmp_path, 3, {"R": {IFT: workers(9.0)}}, version="2.1")
    found = part(tmp_path)
    table = found.data["history"].set_index(["cell", "version"])
    assert set(table.index) == {(IFT, "2.1"), (IFT, "1.1"), (JFB, "1.1")}
    new, old, lost = (table.loc[key] for key in ((IFT, "2.1"), (IFT, "1.1"), (JFB, "1.1")))
    assert new["commit"][:2] == "03" and new["value"] == pytest.approx(9.0, rel=0.1) and new.isna()["last_commit"]
    assert old["commit"][:2] == "02" and old["last_commit"][:2] == old["first_commit"][:2] == "01"
    assert old["last_quotient"] == pytest.approx(1.5) and old["last_class"] == "worse", "against its own version"
    assert (lost["status"], lost["last_commit"][:2]) == ("n/a", "02")
    assert "2 numbers of old and new versions stand in the data, compared with their own version alone." in render(
        found
    )
    (drawing,) = found.drawings
    data = drawing.data
    assert list(zip(data["version"], data["commit"].str[:2], strict=True)) == [
        ("2.1", "03"),
        ("1.1", "01"),
        ("1.1", "02"),
    ]
    assert "version 1.1, IFT, GMRES, torch: R, in forwards (log) 2.0" in drawing.svg, "a panel of its own"


def test_a_version_that_comes_back_stands_beside_the_one_between(tmp_path: Path) -> None:
    for day, version in ((1, "1.1"), (2, "2.1"), (3, "1.1")):
        commit(tmp_path, day, {"flops": {BACKPROP: float(day)}}, version=version)
    table = part(tmp_path).data["history"].set_index("version")
    assert table.loc["1.1", "last_commit"][:2] == "01" and table.loc["2.1", "commit"][:2] == "02"
    assert table.loc["2.1"].isna()["last_commit"] and len(table) == 2


def test_other_versions_of_a_framework_are_another_line(tmp_path: Path) -> None:
    commit(tmp_path, 1, {"flops": {BACKPROP: 1}})
    commit(tmp_path, 2, {"flops": {BACKPROP: 2}}, pinned={"torch": "2.14.0"})
    found = part(tmp_path)
    assert [told.changes for told in found.content.lines] == [[], []] and found.drawings == ()
    assert render(found).count("One commit is tracked") == 2


def test_what_was_not_measured_this_time_is_no_change(tmp_path: Path) -> None:
    commit(tmp_path, 1, {"flops": {BACKPROP: 1.0, GIVEN: 1.0}})
    commit(tmp_path, 2, {"flops": {BACKPROP: float("nan"), GIVEN: 1.0}})
    commit(tmp_path, 3, {"flops": {BACKPROP: 2.0, GIVEN: float("nan")}})
    ((line,), _) = read(tmp_path)
    ((only,), fresh) = changes(line)
    assert fresh == 0 and (only.cell, only.last.verdict, only.last.earlier.value) == (BACKPROP, "worse", 1.0)


def test_a_cell_that_is_mended_is_held_against_the_first_number(tmp_path: Path) -> None:
    for day, value in enumerate((None, 4.0, None, 3.0), start=1):
        commit(tmp_path, day, {"flops": {BACKPROP: value}})
    ((line,), _) = read(tmp_path)
    ((only,), _) = changes(line)
    assert (only.last.status, only.last.verdict) == ("failed → ok", "better")
    assert (only.first.status, only.first.change.told("flops")) == ("", "1.00 fewer")
    assert "<strong>failed → ok</strong>" in render(part(tmp_path))


def test_without_a_file_the_page_says_how_to_make_one(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        found = part(folder)
        assert (found.name, found.title, found.drawings, found.data) == ("history", "Across commits", (), {})
        assert "No commit was tracked here: <code>make history</code> measures one." in render(found)


def test_nothing_changed_is_said(tmp_path: Path) -> None:
    for day in (1, 2):
        commit(tmp_path, day, {"flops": {BACKPROP: 5.0}})
    assert "Nothing changed beyond these rules." in render(part(tmp_path))


def test_lines_are_drawn_in_turn_and_never_more_than_fit(tmp_path: Path) -> None:
    many = {f"torch/eager/cpu/float32/p{one % 5}/method{one // 5}": [2.0, 2.1] for one in range(40)}
    commit(tmp_path, 1, {"R": many})
    ((line,), _) = read(tmp_path)
    names = [named for _, named in chosen(line)]
    assert len(names) == MOST_LINES and {named.problem for named in names} == {f"p{one}" for one in range(5)}


def test_markup_in_every_text_stays_text(tmp_path: Path) -> None:
    texts = [text for text in MARKUP if text and "\ud800" not in text]
    for day, value in ((1, 2.0), (2, 3.0)):
        tracks = {f"x{text}": {**{cell: value for cell in texts}} for text in texts[:3]}
        tracks["R"] = {f"torch/eager/cpu/float32/mlp/{text}": workers(value) for text in texts}
        commit(tmp_path, day, tracks, cpu=texts[1], name=texts[0], version=texts[2], pinned={"torch": texts[0][:20]})
    found = part(tmp_path)
    (told,) = found.content.lines
    assert len(told.moved) == 4 * len(texts) and found.drawings
    source = render(found)
    reader = Reader(source)
    assert reader.stack == [] and not {tag for tag, _ in reader.tags} & {"script", "img", "iframe"}
    assert not any(key.startswith("on") for _, attributes in reader.tags for key in attributes)
