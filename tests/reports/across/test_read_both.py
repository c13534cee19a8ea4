"""Two files named to be compared: what is refused, and the committed ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports import ResultsError
from reports.across.compared import part, read_both
from reports.template import render
from tests.reports.across.sides import A, B, cell, file
from tests.reports.reader import Reader

ROOT = Path(__file__).resolve().parents[3]


def test_errors_of_reading_are_one_sentence(tmp_path: Path) -> None:
    one, other = (file(tmp_path / of, of, [cell([2.0], of)]) for of in (A, B))
    far = file(tmp_path / "far", "c" * 12, [cell([2.0], "c" * 12, problem="far")])
    again = file(tmp_path / "again", A, [cell([2.0], A)])
    assert [one.name, other.name] == [A, B] and len(read_both([one, other])) == 2
    for paths, words in (
        ([one], "1 were named"),
        ([one, one], "named twice"),
        ([one, tmp_path / "x" / ".." / A], "does not exist|named twice"),
        ([one, far], "no cell in common"),
        ([one, again], "the same visits of every cell"),
        ([one, tmp_path / "none"], "does not exist"),
    ):
        with pytest.raises(ResultsError, match=words) as error:
            read_both(paths)
        assert str(error.value).endswith(".") and "\n" not in str(error.value)


def test_the_committed_results_compare() -> None:
    a, b = read_both([ROOT / "results" / commit / "quick.jsonl" for commit in ("34747a83004b", "86a18da907d3")])
    found = part(a, b, ("34747a83004b", "86a18da907d3"))
    told = found.content
    assert len(told.pairs) == 92 and len(told.quotients) == 32
    assert dict(told.classes) == {"worse": 0, "better": 8, "not decided": 16, "same": 8}
    assert len(told.found.only_b) == 2 and told.found.only_a == told.found.shared == told.found.resized == []
    assert Reader(render(found)).stack == []
