"""Work that was planned and has no numbers: that of which rows are missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from reports.files import start
from reports.frames import counted
from reports.load import Results
from reports.rows import Row, number

NOT_RUN = "not run"
"""The status of planned work without a row, or with fewer rows than planned."""

NO_ROW = "planned, and there is no row of it"


OWN = "own"
"""The preset of rows that ``gradratio.compare`` made."""


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
        parts, cells = run.get("parts"), run.get("experiments") or {}
        for name in dict.fromkeys([*cells, *(part.partition("/")[0] for part in parts or [])]):
            own = None if parts is None else Counter(part for part in parts if part.partition("/")[0] == name)
            workers = int(max(number(run.get("workers")), 0))
            found[name] = Plan(frozenset(cells.get(name, ())), own, workers)
    return found


def missing(results: Results) -> dict[str, list[Failure]]:
    """By experiment: planned cells without a visit or with fewer timings than workers, and parts not made by all.

    What was tried and failed is no gap: it has a row. A run does not say which of its cells are to be timed, so one
    that has its exact values and no time at all is not among them.
    """
    timed: Counter[str] = Counter()
    failed = set()
    for visit in counted(results):
        timed[visit["cell"]] += visit["measure"] == "time"
        if visit["status"] != "ok":
            failed.add(visit["cell"])
    made = Counter(part for part, _ in {(part["cell"], part["worker"]) for part in results.parts})
    found = {
        name: [
            Failure(one, NOT_RUN, reason)
            for one, reason in (*_cells(plan, timed, failed), *_parts(plan.parts or Counter(), made))
        ]
        for name, plan in plans(results).items()
    }
    return {name: gaps for name, gaps in found.items() if gaps}


def unfinished(results: Results) -> str:
    """How much of what the runs planned has no rows, in one sentence; empty where all has.

    Of a grid the last run that names a cell says how many workers time it. A run says not which cells are timed, but
    has a verdict when it ends: one without is unfinished whatever rows there are. Runs of parts alone, and rows of
    one's own models, which are written at once, have no verdict.
    """
    last = results.run
    if last.get("parts") is None:
        words = _of_grid(results)
    else:
        gaps = [gap for of_one in missing(results).values() for gap in of_one]
        lack = "lacks" if len(gaps) == 1 else "lack"
        words = f"of its plan {len(gaps)} {lack} rows, such as {gaps[0].name} ({gaps[0].reason})" if gaps else ""
    begun_last = {run["run"] for run in results.runs if start(run) == start(last)}
    if not words and last["cells"] and not begun_last & results.ended and last.get("preset") != OWN:
        words = "it has no verdict, and cells may lack their times"
    return words and f"The run did not finish: {words}; the same command goes on from there."


def _of_grid(results: Results) -> str:
    """What a grid lacks, in words."""
    workers = {cell: int(max(number(run.get("workers")), 0)) for run in _in_order(results) for cell in run["cells"]}
    timed: Counter[str] = Counter()
    failed, visited = set(), set()
    for visit in counted(results):
        visited.add(visit["cell"])
        timed[visit["cell"]] += visit["measure"] == "time"
        if visit["status"] != "ok":
            failed.add(visit["cell"])
    none = len(workers.keys() - visited)
    few = sum(0 < timed[cell] < count and cell not in failed for cell, count in workers.items())
    told = [f"of {len(workers)} planned cells {none} {'has' if none == 1 else 'have'} no row"] if none else []
    told += [f"{few} {'was' if few == 1 else 'were'} timed by fewer workers than planned"] if few else []
    return " and ".join(told)


def _in_order(results: Results) -> list[Row]:
    """The runs, the newest last."""
    return sorted(results.runs, key=start)


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
