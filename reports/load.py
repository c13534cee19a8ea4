"""Read results files (JSON lines), and keep the newest group of runs that may stand side by side."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from reports.rows import ResultsError, Row, check, parse

__all__ = ["Results", "ResultsError", "newest", "read"]

GROUP = ("impls", "bench", "versions", "machine")
"""What runs must share to be shown together: the code, the instruments, the versions, the machine."""


@dataclass(frozen=True)
class Results:
    """Runs of one group and the visits that count, in the order they were written.

    ``notes`` are sentences about what was left out: older groups, lines that a killed writer left unfinished.
    """

    runs: list[Row]
    visits: list[Row]
    files: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def run(self) -> Row:
        """The newest run."""
        return max(self.runs, key=lambda run: run["started"])


def read(*paths: str | Path) -> Results:
    """The newest group in one or more files; ``ResultsError`` is one sentence on what is wrong and where."""
    rows: list[Row] = []
    notes: list[str] = []
    for path in map(Path, paths):
        rows += _rows(path, notes)
    names = [shown(Path(path)) for path in paths]
    if not any(row["kind"] == "visit" for row in rows):
        raise ResultsError(f"No visit in {' or '.join(names) or 'no file at all'}: measure at least one cell first.")
    runs = {row["run"]: row for row in rows if row["kind"] == "run"}
    visits = [row for row in rows if row["kind"] == "visit"]
    for visit in visits:
        if visit["run"] not in runs:
            raise ResultsError(
                f"A visit of {visit['cell']} belongs to run {visit['run']!r}, which {' and '.join(names)} "
                "does not describe: keep the line of that run in the file."
            )
    return _newest_group(list(runs.values()), visits, names, notes)


def newest(root: Path = Path("results")) -> Path:
    """The results file under ``root`` whose last run started last (a checkout resets the times of files)."""
    found = sorted(set(root.glob("*/*.jsonl")))
    if not found:
        raise ResultsError(
            f"No results file under {shown(root)}: run the benchmark first, or name a file with --results."
        )
    return max(found, key=_last_start)


def shown(path: Path) -> str:
    """A path as a report may show it: relative to the current folder, or the name alone if elsewhere."""
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except (OSError, ValueError):
        return path.name or "."


def _rows(path: Path, notes: list[str]) -> Iterator[Row]:
    """The rows of one file; a line cut short by a kill is passed over, other damage is an error."""
    name = shown(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = "does not exist" if isinstance(error, FileNotFoundError) else "cannot be read"
        raise ResultsError(f"Results file {name} {reason}: check the path or run the benchmark first.") from error
    lines = [(number, line) for number, line in enumerate(content.split(b"\n"), start=1) if line.strip()]
    if not lines:
        raise ResultsError(f"Results file {name} is empty: run the benchmark first.")
    parsed = [parse(line) for _, line in lines]
    for place, ((number, line), row) in enumerate(zip(lines, parsed, strict=True)):
        if row is None and line.startswith(b"{") and _killed_here(parsed[place + 1 :]):
            notes.append(f"Line {number} of {name} was left unfinished when its writer was stopped; it is passed over.")
            continue
        if row is None:
            raise ResultsError(f"Line {number} of {name} is damaged: remove the line or measure again.")
        yield check(row, f"Line {number} of {name}")


def _killed_here(later: list[object]) -> bool:
    """Whether the line before ``later`` can be a killed writer's last: at the end, or before a new run."""
    return not later or (isinstance(later[0], dict) and later[0].get("kind") == "run")


def _last_start(path: Path) -> str:
    """When the last run in a file started; empty for a file without any, which then is never the newest."""
    try:
        rows = [parse(line) for line in path.read_bytes().split(b"\n") if b'"run"' in line]
    except OSError:
        return ""
    return max(
        (str(row.get("started")) for row in rows if isinstance(row, dict) and row.get("kind") == "run"),
        default="",
    )


def _newest_group(runs: list[Row], visits: list[Row], names: list[str], notes: list[str]) -> Results:
    """The group of the newest run with visits: numbers of different code, versions or machines never mix."""
    group = {run["run"]: json.dumps([run.get(part) for part in GROUP], sort_keys=True) for run in runs}
    visited = {visit["run"] for visit in visits}
    last = max((run for run in runs if run["run"] in visited), key=lambda run: run["started"])
    kept = [run for run in runs if group[run["run"]] == group[last["run"]]]
    ids = {run["run"] for run in kept}
    ours = [visit for visit in visits if visit["run"] in ids]
    others = {group[run] for run in visited} - {group[last["run"]]}
    if others:
        notes.append(
            f"Shown is the newest of {len(others) + 1} groups of runs (same code, instruments, versions and "
            f"machine), of {last['started']}; {len(visits) - len(ours)} visits of older ones are left out."
        )
    return Results(kept, ours, names, notes)
