"""Results files: which ones a page is made from, the newest group of runs in them, and what their plans lack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeVar, get_args

from bench import rows
from bench.rows import GateRow, PartRow, RateRow, RunRow, Surprise, TurnsRow, VerdictRow, VisitRow, alike, told_path
from reports.numbers import clip

Told = TypeVar("Told", VisitRow, PartRow, VerdictRow)

MOST_NOTES = 20
"""Sentences about what was left out that are shown; the others are counted."""

OWN = "own"
"""The preset of rows that ``gradratio.compare`` made."""

IDENTITY = ("framework", "mode", "device", "dtype", "seed", "problem", "method", "gradient")
"""Fields of a visit that say which cell it is of, beside the cell's id: no mode stands for another one."""

identity = attrgetter("cell", *IDENTITY)
"""What tells the cell of a visit apart."""


class ResultsError(ValueError):
    """Results that cannot be read; the message is one sentence that says where and what to do."""


@dataclass(frozen=True)
class Results:
    """Runs of one group, their visits and their parts of experiments, in the order they were written.

    ``notes`` are sentences about what was left out: older groups, files and lines that cannot be used.
    ``surprises`` are the outcomes that the register of expected ones did not expect.
    ``ended`` are the ids of the runs with a verdict, which a run has when it ends.
    """

    runs: list[RunRow]
    visits: list[VisitRow]
    files: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    surprises: list[Surprise] = field(default_factory=list)
    parts: list[PartRow] = field(default_factory=list)
    ended: frozenset[str] = frozenset()

    @property
    def run(self) -> RunRow:
        """The newest run."""
        return max(self.runs, key=attrgetter("started"))

    @property
    def told(self) -> list[str]:
        """The notes, or the first of them and the number of the others."""
        left = len(self.notes) - MOST_NOTES
        return self.notes if left <= 0 else [*self.notes[:MOST_NOTES], f"And {left} more notes like these."]

    @cached_property
    def counted(self) -> list[VisitRow]:
        """The visits that count: of each cell, measure and worker the last that is ok, else the last."""
        found: dict[tuple[object, ...], VisitRow] = {}
        key = attrgetter("cell", *IDENTITY, "measure", "worker")
        for visit in self.visits:
            known = found.setdefault(key(visit), visit)
            if known is not visit and (visit.status == "ok" or known.status != "ok"):
                found[key(visit)] = visit
        return list(found.values())


# Reading --------------------------------------------------------------------------------------------------------------


def read(*paths: str | Path) -> Results:
    """The newest group in one or more files.

    What cannot be used is left out by name (see ``Results.notes``): a line, a file, a visit of an unknown run.
    ``ResultsError``, one sentence on what is wrong and where, is raised only when no visit and no part is left.
    """
    every: list[rows.Row] = []
    notes: list[str] = []
    for path in map(Path, paths):
        try:
            every += _rows(path, notes)
        except ResultsError as error:
            if len(paths) == 1:
                raise
            notes.append(f"Results file {told_path(path)} is skipped. {error}")
    found: dict[type[rows.Line], list[Any]] = {kind: [] for kind in get_args(rows.Row)}
    for row in rows.undoubted(every, notes):
        found[type(row)].append(row)
    if other := sum(len(found[kind]) for kind in (GateRow, TurnsRow, RateRow)):
        notes.append(f"Skipped: {other} row{'s' if other > 1 else ''} of a gate, which has no page.")
    names = [told_path(Path(path)) for path in paths]
    runs = {row.run: row for row in found[RunRow]}
    visits = _of_known_runs(found[VisitRow], runs, "visit", notes)
    parts = _of_known_runs(found[PartRow], runs, "part", notes)
    if not visits and not parts:
        why = f" ({notes[0].rstrip('.')})" if notes else ""
        where = clip(" or ".join(names), 200) or "no file at all"
        raise ResultsError(f"No visit in {where}{why}: measure at least one cell first.")
    verdicts = _of_known_runs(found[VerdictRow], runs, "verdict", notes)
    return _newest_group(list(runs.values()), visits, parts, verdicts, names, notes)


def _rows(path: Path, notes: list[str]) -> list[rows.Row]:
    """The rows of a file; each line passed over adds its sentence to ``notes``. ``ResultsError`` where none is left."""
    name, told = told_path(path), list[str]()
    try:
        if not path.exists():
            raise ResultsError(f"Results file {name} does not exist: check the path or run the benchmark first.")
        found = rows.read(path, told)
    except OSError as error:
        raise ResultsError(f"Results file {name} cannot be read: check the path or run the benchmark first.") from error
    except ResultsError:
        raise
    except ValueError as error:  # a file of something else
        raise ResultsError(str(error)) from error
    if not found and not told:
        raise ResultsError(f"Results file {name} is empty: run the benchmark first.")
    if not found:
        more = f" (and {len(told) - 1} more lines)" if len(told) > 1 else ""
        raise ResultsError(
            f"No row of {name} can be used: {told[0].rstrip('.')}{more}: measure again, or update "
            "gradratio where a later version wrote it."
        )
    notes += told
    return found


def _of_known_runs(found: list[Told], runs: dict[str, RunRow], kind: str, notes: list[str]) -> list[Told]:
    """The rows whose run is described; a note for each run that is not."""
    lost = Counter(row.run for row in found if row.run not in runs)
    notes += [
        f"Skipped: {count} {kind}{'s' if count > 1 else ''} of run {clip(run, 40)!r}, which no usable line describes."
        for run, count in lost.items()
    ]
    return [row for row in found if row.run in runs] if lost else found


def _newest_group(
    runs: list[RunRow],
    visits: list[VisitRow],
    parts: list[PartRow],
    verdicts: list[VerdictRow],
    names: list[str],
    notes: list[str],
) -> Results:
    """The group of the newest run with visits or parts: numbers of different code, versions or machines never mix."""
    made = {row.run for row in visits} | {row.run for row in parts}
    last = max((run for run in runs if run.run in made), key=attrgetter("started"))
    kept = [run for run in runs if alike(run, last)]
    ids = {run.run for run in kept}
    groups: list[RunRow] = []
    for run in runs:
        if run.run in made and not any(alike(run, other) for other in groups):
            groups.append(run)
    ours, own = [row for row in visits if row.run in ids], [row for row in parts if row.run in ids]
    if len(groups) > 1:
        lost = f"{len(visits) - len(ours)} visits" + (f" and {len(parts) - len(own)} parts" if parts else "")
        notes.insert(
            0,
            f"Shown is the newest of {len(groups)} groups of runs (same code, instruments, versions and "
            f"machine), of {last.started}; {lost} of older ones are left out.",
        )
    # A later verdict takes the place of earlier ones on the cells of its run, also where it finds nothing to say.
    said: dict[str, Surprise] = {}
    judged = {run.run: set(run.cells) for run in kept}
    ended = [row for row in verdicts if row.run in ids]
    for row in ended:
        said = {cell: one for cell, one in said.items() if cell not in judged[row.run]}
        said |= {surprise.cell: surprise for surprise in row.surprises}
    return Results(kept, ours, names, notes, list(said.values()), own, frozenset(row.run for row in ended))


# Choosing -------------------------------------------------------------------------------------------------------------

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
            f"No results file under {told_path(root)}: run the benchmark first, or name a file with --results."
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
    begun: dict[Path, str] = {}
    left: dict[Path, str] = {}
    for path in found:
        try:
            results = read(path)
            begun[path], left[path] = results.run.started, unfinished(results)
        except ResultsError:
            begun[path] = ""
    best = max(found, key=lambda path: (left.get(path) == "", begun[path]))
    if notes is not None and not left.get(best):
        notes += [
            f"{told_path(path)} is newer than {told_path(best)}, which is shown, and left out: {why}"
            for path, why in left.items()
            if why and begun[path] > begun[best]
        ]
    return best


# Plans ----------------------------------------------------------------------------------------------------------------

NOT_RUN = "not run"
"""The status of planned work without a row, or with fewer rows than planned."""

NO_ROW = "planned, and there is no row of it"


@dataclass(frozen=True)
class Failure:
    """A cell or part without numbers: its id, its status and why."""

    name: str
    status: str
    reason: str


@dataclass(frozen=True)
class Plan:
    """What a run set out to do for one experiment. parts: each id with the number of its workers; None where the run
    has no list of parts. workers: that time each cell."""

    cells: frozenset[str]
    parts: Counter[str] | None
    workers: int

    def has(self, part: str) -> bool:
        """Whether a part belongs to it."""
        return self.parts is None or part in self.parts


def plans(results: Results) -> dict[str, Plan]:
    """By experiment: the plan of the last run that names it, which takes the place of earlier ones."""
    found: dict[str, Plan] = {}
    for run in _in_order(results):
        cells = run.experiments or {}
        for name in dict.fromkeys([*cells, *(part.partition("/")[0] for part in run.parts or [])]):
            own = None if run.parts is None else Counter(one for one in run.parts if one.partition("/")[0] == name)
            found[name] = Plan(frozenset(cells.get(name, ())), own, run.workers or 0)
    return found


def missing(results: Results) -> list[str]:
    """Ids of cells that a run planned and none visited."""
    visited = {visit.cell for visit in results.visits}
    planned = dict.fromkeys(cell for run in results.runs for cell in run.cells)
    return [cell for cell in planned if cell not in visited]


def gaps(results: Results) -> dict[str, list[Failure]]:
    """By experiment: planned cells without a visit or with fewer timings than workers, and parts not made by all.

    What was tried and failed is no gap: it has a row. A run does not say which of its cells are to be timed, so one
    that has its exact values and no time at all is not among them.
    """
    timed, failed = _timed(results)
    made = Counter(part for part, _ in {(part.cell, part.worker) for part in results.parts})
    found = {
        name: [
            Failure(one, NOT_RUN, reason)
            for one, reason in (*_cells(plan, timed, failed), *_parts(plan.parts or Counter(), made))
        ]
        for name, plan in plans(results).items()
    }
    return {name: lost for name, lost in found.items() if lost}


def unfinished(results: Results) -> str:
    """How much of what the runs planned has no rows, in one sentence; empty where all has.

    Of a grid the last run that names a cell says how many workers time it. A run says not which cells are timed, but
    has a verdict when it ends: one without is unfinished whatever rows there are. Runs of parts alone, and rows of
    one's own models, which are written at once, have no verdict.
    """
    last = results.run
    if last.parts is None:
        words = _of_grid(results)
    else:
        lost = [gap for of_one in gaps(results).values() for gap in of_one]
        lack = "lacks" if len(lost) == 1 else "lack"
        words = f"of its plan {len(lost)} {lack} rows, such as {lost[0].name} ({lost[0].reason})" if lost else ""
    begun_last = {run.run for run in results.runs if run.started == last.started}
    if not words and last.cells and not begun_last & results.ended and last.preset != OWN:
        words = "it has no verdict, and cells may lack their times"
    return words and f"The run did not finish: {words}; the same command goes on from there."


def _of_grid(results: Results) -> str:
    """What a grid lacks, in words."""
    workers = {cell: run.workers or 0 for run in _in_order(results) for cell in run.cells}
    timed, failed = _timed(results)
    none = len(workers.keys() - timed.keys())
    few = sum(0 < timed[cell] < count and cell not in failed for cell, count in workers.items())
    told = [f"of {len(workers)} planned cells {none} {'has' if none == 1 else 'have'} no row"] if none else []
    told += [f"{few} {'was' if few == 1 else 'were'} timed by fewer workers than planned"] if few else []
    return " and ".join(told)


def _timed(results: Results) -> tuple[Counter[str], set[str]]:
    """How often each cell that has rows was timed, and which cells have a row that is not ok."""
    timed: Counter[str] = Counter()
    failed = set()
    for visit in results.counted:
        timed[visit.cell] += visit.measure == "time"
        if visit.status != "ok":
            failed.add(visit.cell)
    return timed, failed


def _in_order(results: Results) -> list[RunRow]:
    """The runs, the newest last."""
    return sorted(results.runs, key=attrgetter("started"))


def _cells(plan: Plan, timed: Counter[str], failed: set[str]) -> Iterator[tuple[str, str]]:
    """The cells of a plan that lack rows, and why they count as missing."""
    for cell in sorted(plan.cells):
        if cell not in timed:
            yield cell, NO_ROW
        elif 0 < timed[cell] < plan.workers and cell not in failed:
            yield cell, f"timed by {timed[cell]} of {plan.workers} workers"


def _parts(planned: Counter[str], made: Counter[str]) -> Iterator[tuple[str, str]]:
    """The parts that not all workers made; a run names a part once for each worker that is to make it."""
    for part, count in planned.items():
        if made[part] < count:
            yield part, f"made by {made[part]} of {count} workers" if made[part] else NO_ROW
