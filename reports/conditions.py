"""What the instruments warned of while the machine was being timed: how often, how much, and in which cells."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from bench.rows import VisitRow
from bench.stats import CPU
from reports.below_one import causes, no_unit
from reports.frame import warnings
from reports.labels import settings
from reports.load import Results
from reports.numbers import interval, number, sig

SENTENCES = {
    "busy": (
        "The machine was busy: {count} of {all} time visits had more load than cores, or less than 90 % of their "
        "core{worst}; measure again on a quiet machine: {names}."
    ),
    "stolen": (
        "The hypervisor took more than 5 % of the processor{worst} in {count} of {all} time visits; measure again, "
        "or on a machine of your own: {names}."
    ),
    "throttled": (
        "The clock was throttled, under 75 % of its maximum{worst}, in {count} of {all} time visits; let the machine "
        "cool, then measure again: {names}."
    ),
}
"""For each warning what a reader must know and do."""

MOST_NAMES = 4


def disturbed(results: Results, frame: pd.DataFrame) -> list[str]:
    """A sentence for each kind of disturbance; visits that recorded no conditions are judged by their load alone."""
    timed = [visit for visit in results.counted if visit.measure == "time" and visit.device != "meta"]
    cells = {row["cell"]: who(row) for row in frame.to_dict("records")}
    found = []
    for warning, sentence in SENTENCES.items():
        ours = [visit for visit in timed if warning in warnings(visit)]
        if ours:
            names = named(list(dict.fromkeys(cells[visit.cell] for visit in ours)))
            parts = {"count": len(ours), "all": len(timed), "worst": _worst(ours, warning), "names": names}
            found.append(sentence.format(**parts))
    return found + _load(
        results, [visit for visit in timed if visit.status == "ok" and not visit.conditions], len(timed)
    )


def by_cpu(frame: pd.DataFrame) -> list[str]:
    """A sentence on the cells whose times are not by the wall clock."""
    ours = [who(row) for row in frame.to_dict("records") if row["clock"] == CPU]
    if not ours:
        return []
    many = "1 cell are" if len(ours) == 1 else f"{len(ours)} cells are"
    return [
        f"Times and R of {many} by the processor's clock, since a process did not have its core and the wall clock "
        f"would be wrong: {named(list(dict.fromkeys(ours)))}."
    ]


def below_one(frame: pd.DataFrame) -> list[str]:
    """A sentence on the cells whose R in their own forward lies below 1 with its whole interval, and on the cause."""
    low = [row for row in frame.to_dict("records") if no_unit(row)]
    if not low:
        return []
    told = named(
        [f"{who(row)} ({settings(row['sizes'])}) {interval(row['R'], row['R_low'], row['R_high'])}" for row in low]
    )
    many = "1 cell lies" if len(low) == 1 else f"{len(low)} cells lies"
    return [f"R of {many} below 1 and decides nothing: {told}. {causes(low)}"]


def who(row: Mapping[Hashable, Any]) -> str:
    """A cell as a sentence names it."""
    place = "" if row["device"] == "cpu" else f" on {row['device']}"
    return f"{row['problem']}, {row['label']}, {row['runner']}{place}"


def named(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    left = len(names) - MOST_NAMES
    return "; ".join([*names[:MOST_NAMES], *([f"and {left} more"] if left > 0 else [])])


def _worst(visits: list[VisitRow], warning: str) -> str:
    """The furthest that a visit went, in brackets; empty where none says."""
    found = [visit.conditions for visit in visits if visit.conditions]
    least = min((one.cpu_share for one in found if one.cpu_share is not None), default=None)
    most = max((one.steal_share for one in found if one.steal_share is not None), default=None)
    if warning == "busy" and least is not None and least < 0.9:
        return f" (down to {sig(100 * least)} %)"
    return f" (up to {sig(100 * most)} %)" if warning == "stolen" and most is not None else ""


def _load(results: Results, visits: list[VisitRow], timed: int) -> list[str]:
    """Visits of the older layout, which began on a machine with more to do than it has cores."""
    cores = {run.run: number(run.machine.cores) for run in results.runs}
    loads = [number(visit.load) for visit in visits if number(visit.load) > cores[visit.run]]
    if not loads:
        return []
    return [
        f"The machine was busy: {len(loads)} of {timed} time visits began at a load average above the "
        f"number of cores (up to {sig(max(loads))}); measure again on a quiet machine."
    ]
