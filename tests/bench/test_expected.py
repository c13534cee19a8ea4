"""The register of expected outcomes: what it describes, and that a surprise in either direction is told."""

from __future__ import annotations

import pytest

from bench.cells import Cell
from bench.expected import REGISTER, expectation, surprises
from bench.failures import UNAVAILABLE
from bench.presets import PRESETS
from bench.rows import SKIPPED, Surprise
from bench.summary import Summary

GOOD = PRESETS["smoke"].cells[0]
BAD = next(cell for cell in PRESETS["standard"].cells if cell.problem == "linear")


@pytest.mark.parametrize("status", ["wrong", "diverged", "failed", "oom", "timeout", "n/a"])
def test_a_failure_is_a_surprise_where_none_is_registered(status: str) -> None:
    (told,) = surprises([GOOD], [Summary(GOOD.id, status, "a reason")])
    assert told == Surprise(cell=GOOD.id, expected="ok", found=status, why="a reason")


@pytest.mark.parametrize("status", ["ok", "n/a", "wrong"])
def test_another_outcome_is_a_surprise_where_one_is_registered(status: str) -> None:
    (told,) = surprises([BAD], [Summary(BAD.id, status)])
    assert (told.expected, told.found) == ("diverged", status)
    assert "a factor of up to 4 a step" in told.why


def test_what_is_expected_or_not_measured_yet_is_no_surprise() -> None:
    found = [Summary(GOOD.id), Summary(BAD.id, "diverged"), Summary(BAD.id, "missing")]
    found += [Summary(GOOD.id, "n/a", f"{why} something") for why in (UNAVAILABLE, SKIPPED)]
    assert surprises([GOOD, BAD], found) == []
    odd = Cell("torch", "tanh", "jfb")  # of no preset
    assert surprises([odd], [Summary(odd.id, "n/a", "there is no such thing")]) == []


def test_every_line_of_the_register_describes_a_cell_of_a_preset_and_says_why() -> None:
    cells = [cell for preset in PRESETS.values() for cell in preset.cells]
    for line in REGISTER:
        assert line.why and line.status != "ok"
        assert any(line.describes(cell) and expectation(cell) == (line.status, line.why) for cell in cells), line
