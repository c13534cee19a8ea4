"""What changed across the commits that asv tracked: the part of the page."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from math import nan
from pathlib import Path

import pandas as pd

from bench.stats import MARGIN
from reports.across.asv_files import NONE, Commit, Line, read
from reports.across.changes import Apart, Change, Lost, apart, changes, counted, lost
from reports.across.drift import drift
from reports.across.tracks import TRACKS, Step, Track, track
from reports.draw import Drawing
from reports.headline import Record
from reports.part import Part

MOST_LINES = 4
"""Machines and environments that are shown; the others are counted."""

MOST_ROWS = 150
"""Changes of one line that are listed; the others are counted, and all are in the CSV."""

MOST_NOTES = 10


@dataclass(frozen=True)
class Told:
    """One line of commits: what changed with its newest commit, what that has no longer, what stands in another version
    of its benchmark, and the figure of R."""

    line: Line
    changes: list[Change]
    fresh: int
    lost: list[Lost]
    apart: list[Apart]
    drawing: Drawing | None

    @property
    def moved(self) -> list[Change]:
        """The numbers that changed beyond their rule."""
        return [one for one in self.changes if one.changed]

    @property
    def last(self) -> list[tuple[str, int]]:
        """How many numbers are of each class against the last commit before that has them."""
        return counted(self.changes, first=False)

    @property
    def before(self) -> list[tuple[Commit, int]]:
        """The commits that ``last`` is against, the newest first, and how many numbers each gives."""
        count = Counter(one.last.commit.hash for one in self.changes)
        return [(commit, count[commit.hash]) for commit in reversed(self.line.commits) if count[commit.hash]]

    @property
    def first(self) -> list[tuple[str, int]]:
        """How many are against the first commit."""
        return counted(self.changes, first=True)


@dataclass(frozen=True)
class History:
    """All that the template needs."""

    lines: list[Told]
    left: int
    notes: list[str]
    tracks: list[Track]
    margin: float = MARGIN
    most: int = MOST_ROWS

    @staticmethod
    def when(commit: Commit) -> str:
        """A commit by its hash and day."""
        day = datetime.fromtimestamp(commit.date / 1000, UTC)
        return f"{commit.hash[:12]} of {day:%Y-%m-%d}"


def part(folder: Path) -> Part:
    """The part of the page on asv's result files under ``folder``; it says so where there is none."""
    lines, notes = read(folder)
    told = []
    for number, line in enumerate(lines[:MOST_LINES], start=1):
        told.append(Told(line, *changes(line), lost(line), apart(line), drift(line, number)))
    left = len(notes) - MOST_NOTES
    shown = [*notes[:MOST_NOTES], *([f"And {left} more files like these."] if left > 0 else [])]
    drawings = tuple(one.drawing for one in told if one.drawing)
    return Part(
        name="history",
        title="Across commits",
        template="across.html.j2",
        content=History(told, len(lines) - len(told), shown, list(TRACKS.values())),
        drawings=drawings,
        tables={"history": frame(told)} if told else {},
    )


def frame(told: list[Told]) -> pd.DataFrame:
    """One row a number of the newest commit of a line that an earlier commit has too, then one a number that only
    earlier ones have, with the status ``n/a``. Where the version of a benchmark changed, rows of the old and of the new
    one, each of the last commit that has it; numbers of two versions are never compared.

    Columns: ``machine``, ``environment``, ``commit``, ``track``, ``cell``, ``version`` of the benchmark; ``value`` and
    ``status`` of that commit; for the last commit before that has the number in the same version (``last``) and the
    first one (``first``), empty where there is none: its hash, the value there, the quotient newest ÷ earlier with
    ``low`` and ``high`` (95 %, where there are samples), and the class.
    """
    rows: list[Record] = []
    for one in told:
        where: Record = {"machine": one.line.machine, "environment": one.line.environment}
        newest = one.line.commits[-1]
        for change in one.changes:
            row = where | {"commit": newest.hash, "track": change.track, "cell": change.cell}
            row |= {"version": change.newest.version, "value": change.newest.value, "status": change.newest.status}
            rows.append(row | _steps(change.last, change.first))
        for gone in one.lost:
            row = where | {"commit": newest.hash, "track": track(gone.key[0])[0], "cell": gone.key[1]}
            row |= {"version": gone.entry.version, "value": nan, "status": NONE, "last_commit": gone.commit.hash}
            row |= {"last_value": gone.entry.value, "last_status": gone.entry.status}
            rows.append(row)
        for other in one.apart:
            row = where | {"commit": other.commit.hash, "track": track(other.key[0])[0], "cell": other.key[1]}
            row |= {"version": other.entry.version, "value": other.entry.value, "status": other.entry.status}
            rows.append(row | _steps(other.last, other.first))
    columns = ["machine", "environment", "commit", "track", "cell", "version", "value", "status"]
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=columns)


def _steps(last: Step | None, first: Step | None) -> Record:
    """What a row says of its two steps."""
    row: Record = {}
    for name, step in (("last", last), ("first", first)):
        if step is not None:
            row |= {f"{name}_commit": step.commit.hash}
            row |= {f"{name}_value": step.earlier.value, f"{name}_status": step.earlier.status}
            row |= {f"{name}_quotient": step.ratio.value, f"{name}_low": step.ratio.low}
            row |= {f"{name}_high": step.ratio.high, f"{name}_class": step.verdict}
    return row
