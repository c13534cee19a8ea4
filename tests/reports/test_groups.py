"""Which runs stand side by side, and which file is the newest."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from reports import Results, ResultsError, cells, missing, read
from reports.headline import by_steps, groups
from reports.load import newest
from tests.rows import exact, run, text, timed, write


def load(content: bytes) -> Results:
    """Read bytes as a results file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "some.jsonl"
        path.write_bytes(content)
        return read(path)


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


def test_groups_of_one_problem_are_told_apart_by_what_differs() -> None:
    rows = [
        timed(2.0, problem="tanh", cell=f"tanh{width}", sizes={"width": width, "batch": 8, **more})
        for width, more in ((16, {"kind": "symmetric"}), (32, {}))
    ]
    found = load(text([run(), *rows, timed(2.0, problem="mlp", cell="mlp")]))
    titles = {group.title for group in groups(cells(found))}
    assert titles == {"tanh, width 16", "tanh, width 32", "mlp"}  # what one of them does not name tells nothing


def test_a_group_with_solves_of_several_lengths_is_cut_by_length(tmp_path: Path) -> None:
    sizes = {"batch": 8, "width": 16}
    rows = [
        timed(ratio, worker, problem=problem, sizes=sizes, method=("jfb", {"K": K}))
        for worker in range(2)
        for problem, K, ratio in (("tanh", 40, 2.0), ("tanh", 160, 3.0), ("fpn", 30, 4.0))
    ]
    found = groups(cells(read(write(tmp_path / "some.jsonl", [run(), timed(2.0), *rows]))))
    cut = by_steps(found)
    assert [(one.title, [row["options"].get("K") for row in one.rows]) for one in cut] == [
        ("mlp", [None]),
        ("tanh, K 40", [40]),
        ("tanh, K 160", [160]),
        ("fpn", [30]),
    ]
