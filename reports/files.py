"""The lines of one results file: those that can be used, and a sentence for each that cannot."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from reports.clean import Damaged, Unusable, clip, plain
from reports.rows import ResultsError, Row, check, parse

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


def shown(path: Path) -> str:
    """A path as a report may show it: relative to the current folder, or the name alone if elsewhere."""
    try:
        found = path.resolve().relative_to(Path.cwd()).as_posix()
    except (OSError, ValueError):
        found = path.name or "."
    return clip(plain(found), 120)


def rows(path: Path, notes: list[str]) -> list[Row]:
    """The usable rows of a file, in order; each line passed over adds its sentence to ``notes``.

    ``ResultsError`` where the file has none: one sentence on why.
    """
    name = shown(path)
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = "does not exist" if isinstance(error, FileNotFoundError) else "cannot be read"
        raise ResultsError(f"Results file {name} {reason}: check the path or run the benchmark first.") from error
    lines = [(number, line) for number, line in enumerate(content.split(b"\n"), start=1) if line.strip()]
    if not lines:
        raise ResultsError(f"Results file {name} is empty: run the benchmark first.")
    parsed = [_parsed(line) for _, line in lines]
    found, lost = [], []
    for place, ((number, line), row) in enumerate(zip(lines, parsed, strict=True)):
        if isinstance(row, Damaged) and line.startswith(b"{") and _killed_here(parsed[place + 1 :]):
            lost.append(f"Line {number} of {name} was left unfinished when its writer was stopped; it is passed over.")
            continue
        try:
            if isinstance(row, Unusable):
                raise row
            found.append(check(row))
        except Unusable as reason:
            lost.append(f"Line {number} of {name} is skipped: {reason}.")
    if not found:
        more = f" (and {len(lost) - 1} more lines)" if len(lost) > 1 else ""
        raise ResultsError(f"No row of {name} can be used: {lost[0].rstrip('.')}{more}; measure again.")
    notes += lost
    return found


def start(run: Row) -> str:
    """When a run started, for comparisons; empty where it does not tell, so that it is never the newest."""
    return run["started"] if _TIME.match(run["started"]) else ""


def _parsed(line: bytes) -> Any:
    """The value of a line, or why there is none."""
    try:
        return parse(line)
    except Unusable as reason:
        return reason


def _killed_here(later: list[Any]) -> bool:
    """Whether the line before ``later`` can be a killed writer's last: at the end, or before a new run."""
    return not later or (isinstance(later[0], dict) and later[0].get("kind") == "run")
