"""The section on the peers in Markdown, every number of it computed from the rows of one file."""

from __future__ import annotations

from collections.abc import Iterator

from reports.numbers import DASH, interval, sig
from reports.peers.entries import Compared
from reports.peers.section import MARKS, Section
from reports.peers.table import Line
from reports.peers.verdict import Judged
from reports.tables import escape, markdown

BEGIN = "<!-- peers: made by `gradratio page --peers FILE --peers-markdown`, not by hand -->"
END = "<!-- end of peers -->"

TARGET = ("target", "limit", "median", "largest cell", "verdict")
CONTENDER = ("framework", "method", "ours", "contender", "median", "largest cell", "cells", "failed", "n/a")


def text(found: Section) -> str:
    """Between its two marks: targets, ratios by contender, ratios by cell, what failed."""
    run, machine = found.run, found.run.machine
    told = ", ".join(f"{count} {verdict}" for verdict, count in found.counts)
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    peers = f"; {escape(found.packages)}" if found.packages else ""
    dirty = "" if run.dirty is False else " (not a clean tree)"
    parts = [
        BEGIN,
        "## Targets\n\n"
        f"`gradratio peers` ({run.preset}) of commit {(run.commit or 'none')[:12]}{dirty}, "
        f"{run.started[:10]}, on {machine.cores} cores of {machine.cpu}, {machine.system}, "
        f"one thread a process; {versions}{peers}. Rows: `{found.papers.files}`.",
        "Numbers are time of ours ÷ time of the other at the same gradient error, unless said otherwise. Of each cell "
        f"the median over worker processes, with its 95 % interval. {told}.",
        "\n".join(markdown(TARGET, map(_target, found.targets), left=(0, 1, 4))),
    ]
    if found.lines:
        lines = markdown(CONTENDER, map(_line, found.lines), left=range(4))
        parts += ["## Ratios by contender", "\n".join(lines), "## Ratios by cell"]
        parts += _cells(found.lines)
    if found.unfinished:
        parts += [f"Unfinished: {found.unfinished}."]
    if found.failed or found.notes:
        failures = [f"{escape(one.name)}: {one.status}: {escape(one.reason)}" for one in found.failed]
        parts += ["## What failed", "\n".join(f"- {one}" for one in (*failures, *map(escape, found.notes)))]
    return "\n\n".join([*parts, END]) + "\n"


def _target(one: Judged) -> tuple[str, ...]:
    target = one.target
    limit = f"≤ {sig(target.limit)}" + (f", each ≤ {sig(target.every)}" if target.every is not None else "")
    other = f" ÷ {one.worst.other}" if one.worst and one.worst.other else ""
    worst = f"{one.worst.text} ({escape(one.worst.cell + other)})" if one.worst else DASH
    detail = f": {escape(one.detail)}" if one.detail else ""
    count = f" ({len(one.cells)} cell{'s' if len(one.cells) > 1 else ''})" if one.cells else ""
    verdict = f"{MARKS[one.verdict]} **{one.verdict}**{detail}"
    return f"{target.framework}: {escape(target.text)}", limit, f"{sig(one.median)}{count}", worst, verdict


def _line(one: Line) -> tuple[str, ...]:
    worst = f"{interval(*one.worst.ratio[:3])} ({escape(one.worst.cell)})" if one.worst else DASH
    names = [escape(name) for name in (one.framework, one.method, one.ours, one.other)]
    counts = [str(len(one.cells)), str(one.count(applicable=True)), str(one.count(applicable=False))]
    return *names, sig(one.median), worst, *counts


def _cells(lines: list[Line]) -> Iterator[str]:
    """One table for each of ours: a row a cell, a column a contender."""
    groups: dict[tuple[str, str, str], list[Line]] = {}
    for line in lines:
        groups.setdefault((line.framework, line.method, line.ours), []).append(line)
    for (framework, _, own), some in groups.items():
        yield f"### {escape(framework)}: {escape(own)}"
        names = dict.fromkeys(name for line in some for name in line.names)
        rows = [(escape(name), *(_ratio(line, name) for line in some)) for name in names]
        yield "\n".join(markdown(("cell", *(f"÷ {escape(line.other)}" for line in some)), rows))


def _ratio(line: Line, cell: str) -> str:
    """The ratio in a cell, or what stands in its way."""
    pair: Compared | None = next((one for one in line.cells if one.cell == cell), None)
    if pair:
        return interval(*pair.ratio[:3])
    lost = next((one for one in (*line.failed, *line.lost) if one.cell == cell), None)
    if lost is None:
        return DASH
    return f"ours {lost.status}" if any(one is lost for one in line.lost) else lost.status
