"""Which earlier commit a number is held against, and numbers that only earlier commits have."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reports.across.history import part
from reports.template import render
from tests.reports.across.asv_made import BACKPROP, GIVEN, IFT, JFB, commit


def test_a_number_that_the_commit_before_has_not_is_held_against_an_older_one_by_name(tmp_path: Path) -> None:
    nan = float("nan")
    commit(tmp_path, 1, {"flops": {BACKPROP: 1.0, GIVEN: 1.0}})
    commit(tmp_path, 2, {"flops": {BACKPROP: nan, GIVEN: 1.0}})
    commit(tmp_path, 3, {"flops": {BACKPROP: 2.0, GIVEN: 1.0}})
    found = part(tmp_path)
    (told,) = found.content.lines
    assert [(one.hash[:2], count) for one, count in told.before] == [("02", 1), ("01", 1)]
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", render(found)))
    assert (
        "Of 2 numbers, against the last commit before that has them "
        "(020202020202 of 2024-10-06 for 1, 010101010101 of 2024-10-05 for 1): 1 worse"
    ) in text
    assert "1.00 → 2.00 since 010101010101 worse" in text and "no longer measured" not in text
    table = found.data["history"].set_index("cell")
    assert [table.loc[cell, "last_commit"][:2] for cell in (BACKPROP, GIVEN)] == ["01", "02"]


@pytest.mark.parametrize("now", [{BACKPROP: float("nan"), GIVEN: None, JFB: 1.0}, {GIVEN: None, JFB: 1.0}])
def test_a_number_that_is_no_longer_measured_is_counted_and_in_the_data(
    tmp_path: Path, now: dict[str, float | None]
) -> None:
    """asv writes NaN both for what is n/a and for what was left out; a failure is a change instead."""
    commit(tmp_path, 1, {"flops": {BACKPROP: 7.0, GIVEN: 1.0, IFT: float("nan")}})
    commit(tmp_path, 2, {"flops": now})
    found = part(tmp_path)
    (told,) = found.content.lines
    assert [one.key[1] for one in told.lost] == [BACKPROP] and [one.cell for one in told.changes] == [GIVEN]
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", render(found)))
    assert "1 number of earlier commits is no longer measured, or was left out this time; the data name it." in text
    row = found.data["history"].set_index("cell").loc[BACKPROP]
    assert (row["status"], row["last_value"], row["last_status"], row["track"]) == ("n/a", 7.0, "ok", "flops")


def test_where_nothing_can_be_compared_no_commit_is_named(tmp_path: Path) -> None:
    commit(tmp_path, 1, {"flops": {BACKPROP: 1.0}}, version="1.1")
    commit(tmp_path, 2, {"flops": {BACKPROP: 2.0}}, version="2.1")
    source = render(part(tmp_path))
    assert "No number of the newest commit has an earlier one to compare with." in source and "against 0" not in source
