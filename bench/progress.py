"""How far a run is, on stderr: visits finished, time left, the cells under way."""

from __future__ import annotations

import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TextIO

from bench.plan import Visit

EVERY_S = 10.0
"""Seconds between two lines where stderr is no terminal."""

WIDTH = 110


def estimate(left: Iterable[Visit], seconds: dict[tuple[str, str], list[float]], slots: int) -> float | None:
    """Seconds until ``left`` is done, from the seconds of the visits so far; None before the first.

    A visit is expected to take what its cell took, else what its measure takes, else what any visit takes.
    """
    if not seconds:
        return None
    by_measure: dict[str, list[float]] = defaultdict(list)
    for (_, measure), found in seconds.items():
        by_measure[measure] += found
    anything = statistics.fmean(one for found in seconds.values() for one in found)
    expected = 0.0
    for visit in left:
        known = seconds.get((visit.cell.id, visit.measure)) or by_measure.get(visit.measure)
        expected += statistics.fmean(known) if known else anything
    return expected / slots


def in_words(seconds: float | None) -> str:
    """A duration such as ``1 min 05 s``."""
    if seconds is None:
        return "time left unknown"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min left"
    return f"{minutes} min {rest:02d} s left" if minutes else f"{rest} s left"


class Progress:
    """A status line, redrawn on a terminal and printed now and then elsewhere; ``quiet`` prints nothing."""

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        quiet: bool = False,
    ) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._clock, self._quiet = clock, quiet
        self._left: dict[tuple[str, str, int], Visit] = {}
        self._current: list[Visit] = []
        self._seconds: dict[tuple[str, str], list[float]] = defaultdict(list)
        self._total, self._slots, self._shown = 0, 1, float("-inf")

    def start(self, visits: Iterable[Visit], slots: int) -> None:
        """Say what is planned."""
        self._left = {visit.key: visit for visit in visits}
        self._total, self._slots = len(self._left), slots

    def begin(self, visit: Visit) -> None:
        """A visit has started."""
        self._current.append(visit)
        self._show()

    def finish(self, visit: Visit, seconds: float | None) -> None:
        """A visit has ended after so many seconds, or was skipped (None)."""
        if visit in self._current:
            self._current.remove(visit)
        self._left.pop(visit.key, None)
        if seconds is not None:
            self._seconds[visit.key[:2]].append(seconds)
        self._show()

    def close(self) -> None:
        """Leave the line standing."""
        if not self._quiet and self._total and self._stream.isatty():
            self._stream.write("\n")

    def line(self) -> str:
        """The status in one line."""
        words = in_words(estimate(self._left.values(), self._seconds, self._slots) if self._left else 0.0)
        current = ", ".join(f"{visit.cell.id} ({visit.measure})" for visit in self._current)
        return f"{self._total - len(self._left)}/{self._total} visits, {words}{', ' if current else ''}{current}"

    def _show(self) -> None:
        if self._quiet:
            return
        if self._stream.isatty():
            self._stream.write("\r" + self.line()[:WIDTH].ljust(WIDTH))
        elif self._clock() - self._shown >= EVERY_S or not self._left:
            self._shown = self._clock()
            self._stream.write(self.line() + "\n")
        self._stream.flush()
