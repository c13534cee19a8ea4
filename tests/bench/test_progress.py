"""The status line: what it says and how often."""

from __future__ import annotations

import io

import pytest

from bench.cells import Cell
from bench.plan import Visit
from bench.progress import Progress, estimate, in_words

ONE, TWO = Cell("torch", "tanh", "ift"), Cell("torch", "tanh", "jfb")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_estimate_prefers_the_cell_then_the_measure_then_anything() -> None:
    left = [Visit(ONE, "time", 1), Visit(TWO, "time", 0), Visit(TWO, "exact", 0)]
    assert estimate(left, {}, 1) is None
    assert estimate(left, {(ONE.id, "time"): [2.0, 4.0]}, 1) == 9.0
    assert estimate(left, {(ONE.id, "time"): [3.0], (TWO.id, "time"): [9.0]}, 2) == (3.0 + 9.0 + 6.0) / 2
    assert estimate([], {(ONE.id, "time"): [3.0]}, 1) == 0.0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "time left unknown"), (0.4, "0 s left"), (65.0, "1 min 05 s left"), (3661.0, "1 h 01 min left")],
)
def test_durations_in_words(seconds: float | None, words: str) -> None:
    assert in_words(seconds) == words


def test_plain_lines_come_at_most_every_ten_seconds_and_at_the_end() -> None:
    moment, stream = [0.0], io.StringIO()
    progress = Progress(stream, clock=lambda: moment[0])
    visits = [Visit(ONE, "time", worker) for worker in range(20)]
    progress.start(visits, slots=1)
    for visit in visits:
        progress.begin(visit)
        moment[0] += 1.0
        progress.finish(visit, 1.0)
    progress.close()
    lines = stream.getvalue().splitlines()
    assert lines[0] == f"0/20 visits, time left unknown, {ONE.id} (time)"
    assert lines[1].startswith("10/20 visits, 10 s left")
    assert lines[-1] == "20/20 visits, 0 s left"
    assert len(lines) == 3 and "\r" not in stream.getvalue()


def test_a_terminal_gets_one_line_redrawn() -> None:
    stream = Terminal()
    progress = Progress(stream, clock=lambda: 0.0)
    visit = Visit(ONE, "time", 0)
    progress.start([visit], slots=1)
    progress.begin(visit)
    progress.finish(visit, None)
    progress.close()
    assert stream.getvalue().count("\n") == 1 and stream.getvalue().count("\r") == 2


def test_quiet_says_nothing() -> None:
    stream = io.StringIO()
    progress = Progress(stream, quiet=True)
    progress.start([Visit(ONE, "time", 0)], slots=1)
    progress.begin(Visit(ONE, "time", 0))
    progress.finish(Visit(ONE, "time", 0), 1.0)
    progress.close()
    assert stream.getvalue() == ""
