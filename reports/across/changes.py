"""What the newest commit of a line changed, against the last one before that has a number and against the first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isnan, log

from bench.stats import CLASSES
from reports.across.asv_files import NONE, OK, Commit, Entry, Key, Line
from reports.across.names import Name, name
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


@dataclass(frozen=True)
class Apart:
    """A number in a version of its benchmark that no change tells of, since instruments of other versions are never
    compared. commit, entry: the last that has it. last, first: within the version, from the commit before and from the
    first one; None where one commit alone has it."""

    key: Key
    commit: Commit
    entry: Entry
    last: Step | None
    first: Step | None


def apart(line: Line) -> list[Apart]:
    """Where a benchmark's version changed: of each of its cells the numbers of the newest commit that begin a history,
    then those of the versions before, the latest first."""
    found = []
    newest = line.commits[-1]
    told = {one.key: one.entry.version for one in lost(line)}
    told |= {key: entry.version for key, entry in newest.entries.items() if entry.status != NONE}
    for key, version in told.items():
        held = [commit.entries[key] for commit in line.commits if key in commit.entries]
        versions = list(dict.fromkeys(entry.version for entry in reversed(held) if entry.status != NONE))
        for one in versions if len(versions) > 1 else ():
            *older, (commit, entry) = _same(line.commits, key, one)
            if one == version and (older or commit is not newest):
                continue  # a change, or a loss
            good = [before for before in older if before[1].status == OK] or older
            facts = track(key[0])[1]
            steps = (
                [step(facts, before, entry, where) for where, before in (older[-1], good[0])] if older else [None] * 2
            )
            found.append(Apart(key, commit, entry, *steps))
    return found


def counted(found: list[Change], *, first: bool) -> list[tuple[str, int]]:
    """How many numbers are of each class, against the first commit that has them or against the last one before."""
    count = Counter((one.first if first else one.last).verdict for one in found)
    return [(verdict, count[verdict]) for verdict in CLASSES]


def _same(commits: Sequence[Commit], key: Key, version: str) -> Iterator[tuple[Commit, Entry]]:
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
