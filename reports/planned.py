"""Work of the papers' experiments that has no numbers: of what was planned, that of which rows are missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from reports.frames import counted
from reports.load import Results
from reports.rows import number

NOT_RUN = "not run"
"""The status of planned work without a row, or with fewer rows than planned."""

NO_ROW = "planned, and there is no row of it"

Gap = tuple[str, str, str]
"""Experiment, id of a cell or part, and why it counts as missing."""


@dataclass(frozen=True)
class Failure:
    """A cell or part without numbers: its id, its status and why."""

    name: str
    status: str
    reason: str


def missing(results: Results) -> dict[str, list[Failure]]:
    """By experiment: planned cells without a visit or with fewer timings than workers, and parts not made by all.

    What was tried and failed is no gap: it has a row. A run does not say which of its cells are to be timed, so one
    that has its exact values and no time at all is not among them.
    """
    found: dict[str, list[Failure]] = {}
    for experiment, name, reason in (*_cells(results), *_parts(results)):
        found.setdefault(experiment, []).append(Failure(name, NOT_RUN, reason))
    return found


def _cells(results: Results) -> Iterator[Gap]:
    planned: dict[tuple[str, str], int] = {}
    for run in results.runs:
        workers = int(max(number(run.get("workers")), 0))
        for experiment, cells in (run.get("experiments") or {}).items():
            for cell in cells:
                planned[experiment, cell] = max(planned.get((experiment, cell), 0), workers)
    timed: dict[str, int] = {}
    failed = set()
    for visit in counted(results):
        timed[visit["cell"]] = timed.get(visit["cell"], 0) + (visit["measure"] == "time")
        if visit["status"] != "ok":
            failed.add(visit["cell"])
    for (experiment, cell), workers in planned.items():
        if cell not in timed:
            yield experiment, cell, NO_ROW
        elif 0 < timed[cell] < workers and cell not in failed:
            yield experiment, cell, f"timed by {timed[cell]} of {workers} workers"


def _parts(results: Results) -> Iterator[Gap]:
    """A run names a part once for each worker that is to make it."""
    planned: Counter[str] = Counter()
    for run in results.runs:
        planned |= Counter(run.get("parts") or [])
    made = Counter(part for part, _ in {(part["cell"], part["worker"]) for part in results.parts})
    for part, count in planned.items():
        if made[part] < count:
            why = f"made by {made[part]} of {count} workers" if made[part] else NO_ROW
            yield part.partition("/")[0], part, why
