"""The figure of a line of commits: R of some cells of each problem, commit by commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from math import nan

import pandas as pd

from bench.stats import centre
from reports.across.asv_files import OK, Commit, Key, Line
from reports.across.names import Name, name
from reports.across.tracks import track
from reports.below_one import causes
from reports.draw import Drawing
from reports.headline import Record
from reports.labels import order, place
from reports.numbers import clip
from reports.paper_figures.lines import lines, runs
from reports.paper_figures.points import Axis, Look, Point

MOST_LINES = 12
MOST_COMMITS = 30
"""The last ones are drawn."""

CAPTION = (
    "R of each commit, the newest at 0, in the order of the commits' dates. Points are medians over worker processes, "
    "bars 95 % t-intervals. A new version of the instruments begins a new history, which has panels of its own."
)


def drift(line: Line, number: int) -> Drawing | None:
    """R over the last commits of a line, ``number`` from 1 for its name; None without two commits that have R."""
    shown = line.commits[-MOST_COMMITS:]
    points, rows = [], []
    every = chosen(line)
    each = {key: _versions(shown, key) for key, _ in every}
    several = len({version for versions in each.values() for version in versions}) > 1
    turns = range(max(map(len, each.values()), default=0))  # the newest versions first: there may be too many panels
    for turn, (key, named) in product(turns, every):
        if turn >= len(each[key]):
            continue
        version = each[key][turn]
        told = f"version {clip(version, 20)}" if several else ""
        panel = ", ".join(filter(None, (named.problem, named.sizes, told)))
        for x, commit in enumerate(shown, start=1 - len(shown)):
            entry = commit.entries.get(key)
            if entry is None or entry.status != OK or entry.version != version:
                continue
            found = centre(entry.samples)
            low, high = (found.low, found.high) if found.samples > 1 else (nan, nan)
            shade = named.label
            doubt = causes(()) if high < 1 else ""
            points.append(Point(shade, named.runner, x, entry.value, low, high, panel, "R", doubt))
            row: Record = {"commit": commit.hash, "cell": key[1], "label": named.label, "runner": named.runner}
            row["version"] = version
            rows.append(row | {"R": entry.value, "low": low, "high": high, "workers": found.samples})
    if not any(len(run) > 1 for panel in {point.panel for point in points} for run in runs(_of(points, panel))):
        return None
    look = Look(
        f"history-ratios-{number}",
        f"R over the last {len(shown)} commits, {line.machine}",
        CAPTION + _left(line),
        Axis("commits from the newest", log=False, each=True),
        {"R": Axis("R, in forwards (log)")},
    )
    drawing = lines(look, points)
    return replace(drawing, data=pd.DataFrame(rows)) if drawing else None


def chosen(line: Line) -> list[tuple[Key, Name]]:
    """The cells that are drawn, by problem: of each problem in turn the next method, with all that ran it, until there
    are no more than ``MOST_LINES`` lines."""
    by_problem: dict[tuple[str, str], dict[tuple[str, str], list[tuple[Key, Name]]]] = {}
    for key in _ratios(line):
        named = name(key[1])
        methods = by_problem.setdefault((named.problem, named.sizes), {})
        methods.setdefault((named.label, named.options), []).append((key, named))
    queues = [
        [methods[method] for method in sorted(methods, key=lambda one: (order(one[0]), one[1]))]
        for methods in by_problem.values()
    ]
    found: list[list[tuple[Key, Name]]] = [[] for _ in queues]
    count = 0
    for turn in range(max(map(len, queues), default=0)):
        for queue, mine in zip(queues, found, strict=True):
            if turn < len(queue) and count + len(queue[turn]) <= MOST_LINES:
                mine += sorted(queue[turn], key=lambda one: place(one[1].runner))
                count += len(queue[turn])
    return [one for mine in found for one in mine]


def _ratios(line: Line) -> list[Key]:
    """The cells whose R the newest commit has."""
    newest = line.commits[-1].entries
    return [key for key, entry in newest.items() if track(key[0])[0] == "R" and entry.status == OK and entry.value > 0]


def _versions(commits: Sequence[Commit], key: Key) -> list[str]:
    """The versions in which commits have a cell's R, that of the newest first."""
    held = (commit.entries.get(key) for commit in reversed(commits))
    return list(dict.fromkeys(entry.version for entry in held if entry is not None and entry.status == OK))


def _of(points: Sequence[Point], panel: str) -> list[Point]:
    return [point for point in points if point.panel == panel]


def _left(line: Line) -> str:
    left = len(_ratios(line)) - len(chosen(line))
    return f" {left} more cells are tracked." if left else ""
