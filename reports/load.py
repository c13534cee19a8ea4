"""Read results files (JSON lines), and keep the newest group of runs that may stand side by side."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reports.clean import clip
from reports.files import rows, shown, start
from reports.rows import ResultsError, Row

__all__ = ["Results", "ResultsError", "newest", "newest_papers", "newest_peers", "read", "shown"]

GROUP = ("impls", "bench", "versions", "machine")
"""What runs must share to be shown together: the code, the instruments, the versions, the machine."""

MOST_NOTES = 20
"""Sentences about what was left out that are shown; the others are counted."""


@dataclass(frozen=True)
class Results:
    """Runs of one group, their visits and their parts of experiments, in the order they were written.

    ``notes`` are sentences about what was left out: older groups, files and lines that cannot be used.
    ``surprises`` are the outcomes that the register of expected ones did not expect: cell, expected, found, why.
    ``ended`` are the ids of the runs with a verdict, which a run has when it ends.
    """

    runs: list[Row]
    visits: list[Row]
    files: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    surprises: list[Row] = field(default_factory=list)
    parts: list[Row] = field(default_factory=list)
    ended: frozenset[str] = frozenset()

    @property
    def run(self) -> Row:
        """The newest run."""
        return max(self.runs, key=start)

    @property
    def told(self) -> list[str]:
        """The notes, or the first of them and the number of the others."""
        left = len(self.notes) - MOST_NOTES
        return self.notes if left <= 0 else [*self.notes[:MOST_NOTES], f"And {left} more notes like these."]


def read(*paths: str | Path) -> Results:
    """The newest group in one or more files.

    What cannot be used is left out by name (see ``Results.notes``): a line, a file, a visit of an unknown run.
    ``ResultsError``, one sentence on what is wrong and where, is raised only when no visit and no part is left.
    """
    found: list[Row] = []
    notes: list[str] = []
    for path in map(Path, paths):
        try:
            found += rows(path, notes)
        except ResultsError as error:
            if len(paths) == 1:
                raise
            notes.append(f"Results file {shown(path)} is skipped. {error}")
    names = [shown(Path(path)) for path in paths]
    runs = _runs(found, notes)
    visits = _of_known_runs([row for row in found if row["kind"] == "visit"], runs, "visit", notes)
    parts = _of_known_runs([row for row in found if row["kind"] == "part"], runs, "part", notes)
    if not visits and not parts:
        why = f" ({notes[0].rstrip('.')})" if notes else ""
        where = clip(" or ".join(names), 200) or "no file at all"
        raise ResultsError(f"No visit in {where}{why}: measure at least one cell first.")
    verdicts = _of_known_runs([row for row in found if row["kind"] == "verdict"], runs, "verdict", notes)
    return _newest_group(list(runs.values()), visits, parts, verdicts, names, notes)


PAPERS = "papers-*.jsonl"
"""Files of the papers' experiments, which are no results of the grid."""

PEERS = "peers-*.jsonl"
"""Files of the peers' bench, which are none either."""

SEARCH = "peers-search.jsonl"
"""Of which one holds no times, but the search for everyone's options."""


def newest(root: Path = Path("results"), notes: list[str] | None = None) -> Path:
    """The grid's results file under ``root`` whose shown run started last (a checkout resets the times of files), of
    those that are complete; where none is, of all. A newer one that is not complete is named in ``notes``."""
    found = sorted(path for path in root.glob("*/*.jsonl") if not (path.match(PAPERS) or path.match(PEERS)))
    if not found:
        raise ResultsError(
            f"No results file under {shown(root)}: run the benchmark first, or name a file with --results."
        )
    return _last(found, notes)


def newest_papers(root: Path = Path("results"), notes: list[str] | None = None) -> Path | None:
    """The file of the papers' experiments that ``newest`` would take; None where there is none."""
    found = sorted(root.glob(f"*/{PAPERS}"))
    return _last(found, notes) if found else None


def newest_peers(root: Path = Path("results"), notes: list[str] | None = None) -> Path | None:
    """The file of the peers' bench that ``newest`` would take; None where there is none."""
    found = sorted(path for path in root.glob(f"*/{PEERS}") if path.name != SEARCH)
    return _last(found, notes) if found else None


def _last(found: Sequence[Path], notes: list[str] | None) -> Path:
    """The newest complete one of the files, else the newest; one that cannot be used is never the newest."""
    from reports.planned import unfinished  # which reads what is loaded here

    begun: dict[Path, str] = {}
    left: dict[Path, str] = {}
    for path in found:
        try:
            results = read(path)
            begun[path], left[path] = start(results.run), unfinished(results)
        except ResultsError:
            begun[path] = ""
    best = max(found, key=lambda path: (left.get(path) == "", begun[path]))
    if notes is not None and not left.get(best):
        notes += [
            f"{shown(path)} is newer than {shown(best)}, which is shown, and left out: {why}"
            for path, why in left.items()
            if why and begun[path] > begun[best]
        ]
    return best


def _runs(found: list[Row], notes: list[str]) -> dict[str, Row]:
    """Runs by their id; the first line of a run describes it, one that says something else is passed over."""
    runs: dict[str, Row] = {}
    for row in found:
        if row["kind"] == "run" and runs.setdefault(row["run"], row) != row:
            notes.append(f"A second description of run {clip(row['run'], 40)!r} is skipped: it differs from the first.")
    return runs


def _of_known_runs(found: Sequence[Row], runs: dict[str, Row], kind: str, notes: list[str]) -> list[Row]:
    """The rows whose run is described; a note for each run that is not."""
    lost = [row["run"] for row in found if row["run"] not in runs]
    notes += [
        f"Skipped: {lost.count(run)} {kind}{'s' if lost.count(run) > 1 else ''} of run {clip(run, 40)!r}, "
        "which no usable line describes."
        for run in dict.fromkeys(lost)
    ]
    return [row for row in found if row["run"] in runs]


def _newest_group(
    runs: list[Row], visits: list[Row], parts: list[Row], verdicts: list[Row], names: list[str], notes: list[str]
) -> Results:
    """The group of the newest run with visits or parts: numbers of different code, versions or machines never mix."""
    group = {run["run"]: json.dumps([run.get(part) for part in GROUP], sort_keys=True) for run in runs}
    made = {row["run"] for row in (*visits, *parts)}
    last = max((run for run in runs if run["run"] in made), key=start)
    kept = [run for run in runs if group[run["run"]] == group[last["run"]]]
    ids = {run["run"] for run in kept}
    ours, own = ([row for row in rows if row["run"] in ids] for rows in (visits, parts))
    others = {group[run] for run in made} - {group[last["run"]]}
    if others:
        lost = f"{len(visits) - len(ours)} visits" + (f" and {len(parts) - len(own)} parts" if parts else "")
        notes.insert(
            0,
            f"Shown is the newest of {len(others) + 1} groups of runs (same code, instruments, versions and "
            f"machine), of {last['started']}; {lost} of older ones are left out.",
        )
    # A later verdict takes the place of earlier ones on the cells of its run, also where it finds nothing to say.
    said: dict[str, Row] = {}
    judged = {run["run"]: set(run["cells"]) for run in kept}
    for row in verdicts:
        if row["run"] in ids:
            said = {cell: one for cell, one in said.items() if cell not in judged[row["run"]]}
            said |= {surprise["cell"]: surprise for surprise in row["surprises"]}
    ended = frozenset(row["run"] for row in verdicts if row["run"] in ids)
    return Results(kept, ours, names, notes, list(said.values()), own, ended)
