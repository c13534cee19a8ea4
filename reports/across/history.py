"""What changed across the commits that asv tracked: the part of the page."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from math import nan
from pathlib import Path

import pandas as pd

from reports.across.asv_files import NONE, Commit, Line, read
from reports.across.changes import Change, Lost, changes, counted, lost
from reports.across.drift import drift
from reports.across.quotient import MARGIN
from reports.across.tracks import TRACKS, Track, track
from reports.figures import Drawing
from reports.headline import Record
from reports.part import Part

MOST_LINES = 4
"""Machines and environments that are shown; the others are counted."""

MOST_ROWS = 150
"""Changes of one line that are listed; the others are counted, and all are in the CSV."""

MOST_NOTES = 10


@dataclass(frozen=True)
class Told:
    """One line of commits: what changed with its newest commit, what that has no longer, and the figure of R."""

    line: Line
    changes: list[Change]
    fresh: int
    lost: list[Lost]
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
        told.append(Told(line, *changes(line), lost(line), drift(line, number)))
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
    earlier ones have, with the status ``n/a``.

    Columns: ``machine``, ``environment``, ``commit``, ``track``, ``cell``; ``value`` and ``status`` of the newest
    commit; for the last commit before that has the number (``last``) and the first one (``first``): its hash, the value
    there, the quotient newest ÷ earlier with ``low`` and ``high`` (95 %, where there are samples), and the class.
    """
    rows: list[Record] = []
    for one in told:
        where: Record = {"machine": one.line.machine, "environment": one.line.environment}
        for change in one.changes:
            row = where | {"commit": one.line.commits[-1].hash, "track": change.track, "cell": change.cell}
            row |= {"value": change.newest.value, "status": change.newest.status}
            for name, step in (("last", change.last), ("first", change.first)):
                row |= {f"{name}_commit": step.commit.hash}
                row |= {f"{name}_value": step.earlier.value, f"{name}_status": step.earlier.status}
                row |= {f"{name}_quotient": step.ratio.value, f"{name}_low": step.ratio.low}
                row |= {f"{name}_high": step.ratio.high, f"{name}_class": step.verdict}
            rows.append(row)
        for gone in one.lost:
            row = where | {"commit": one.line.commits[-1].hash, "track": track(gone.key[0])[0], "cell": gone.key[1]}
            row |= {"value": nan, "status": NONE, "last_commit": gone.commit.hash}
            row |= {"last_value": gone.entry.value, "last_status": gone.entry.status}
            rows.append(row)
    columns = ["machine", "environment", "commit", "track", "cell", "value", "status"]
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=columns)
