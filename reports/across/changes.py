"""What the newest commit of a line changed, against the last one before that has a number and against the first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from math import isnan, log

from reports.across.asv_files import NONE, OK, Commit, Entry, Key, Line
from reports.across.names import Name, name
from reports.across.quotient import CLASSES
from reports.across.tracks import TRACKS, Step, Track, step, track

NO_CLASS = len(CLASSES)


@dataclass(frozen=True)
class Change:
    """One tracked number of one cell. track: its short name, and facts. last, first: from the last commit before that
    has a number of the same version of the benchmark, and from the first one."""

    cell: str
    track: str
    facts: Track
    newest: Entry
    last: Step
    first: Step

    @property
    def changed(self) -> bool:
        """Whether either step is beyond the rule."""
        return self.last.changed or self.first.changed

    @property
    def name(self) -> Name:
        """The cell's name in parts."""
        return name(self.cell)


def changes(line: Line) -> tuple[list[Change], int]:
    """Every number of the newest commit that an earlier one has too, those that changed most first, and how many of
    its numbers are new."""
    found, fresh = [], 0
    *older, newest = line.commits
    for key, entry in newest.entries.items():
        if entry.status == NONE:
            continue
        earlier = list(_same(older, key, entry.version))
        if not earlier:
            fresh += 1
            continue
        short, facts = track(key[0])
        good = [one for one in earlier if one[1].status == OK] or earlier
        last, first = (step(facts, before, entry, commit) for commit, before in (earlier[-1], good[0]))
        found.append(Change(key[1], short, facts, entry, last, first))
    return sorted(found, key=_order), fresh


@dataclass(frozen=True)
class Lost:
    """A number that the newest commit has not. commit, entry: the last that has it."""

    key: Key
    commit: Commit
    entry: Entry


def lost(line: Line) -> list[Lost]:
    """The numbers of earlier commits that the newest has not: it does not know their cell, or says n/a, which asv also
    writes for what it was told to leave out. A failure is no loss, but a change."""
    found: dict[Key, Lost] = {}
    *older, newest = line.commits
    for commit in older:
        for key, entry in commit.entries.items():
            now = newest.entries.get(key)
            if entry.status != NONE and (now is None or now.status == NONE):
                found[key] = Lost(key, commit, entry)
    return [found[key] for key in sorted(found)]


def counted(found: list[Change], *, first: bool) -> list[tuple[str, int]]:
    """How many numbers are of each class, against the first commit that has them or against the last one before."""
    count = Counter((one.first if first else one.last).verdict for one in found)
    return [(verdict, count[verdict]) for verdict in CLASSES]


def _same(commits: list[Commit], key: Key, version: str) -> Iterator[tuple[Commit, Entry]]:
    """The numbers that may be compared, with their commits, the oldest first: of the same version of the benchmark, and
    no n/a."""
    for commit in commits:
        entry = commit.entries.get(key)
        if entry is not None and entry.version == version and entry.status != NONE:
            yield commit, entry


def _order(change: Change) -> tuple[int, int, float, str]:
    """By the class of the last step, then by track, then the largest first."""
    ratio = change.last.ratio.value if change.last.changed else change.first.ratio.value
    size = 0.0 if isnan(ratio) or ratio <= 0 else -abs(log(ratio))
    rank = CLASSES.index(change.last.verdict if change.last.changed else change.first.verdict)
    tracks = list(TRACKS)
    kind = tracks.index(change.track) if change.track in tracks else len(tracks)
    return rank + (0 if change.last.changed else NO_CLASS), kind, size, change.cell
