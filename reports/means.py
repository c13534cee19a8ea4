"""Geometric means of R over the cells that all compared have in common: of methods, and of frameworks."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import pandas as pd

from bench.stats import Estimate, mean
from reports.below_one import NO_UNIT, no_unit
from reports.headline import Group, Record
from reports.labels import order, place, settings
from reports.part import Part

BASES = {"explicit": "backprop", "implicit": "unrolled"}
"""The method that the others are divided by, by kind of problem; where nobody timed it, the first of the table."""

MOST_RUNNERS = 6
"""Runners that are compared; there are three."""

Boxes = dict[str, dict[str, dict[int, Record]]]
"""Cells by name of the method, by runner, by place of their group: at most one in each."""


@dataclass(frozen=True)
class Entry:
    """One method in one runner. mean: of R over the problems common to all compared methods; without samples where
    this one is not compared. ratio: of R ÷ the base's R over all problems that have both. timed: problems with an R.
    lost: cells without one by status, and those whose R below 1 is no unit."""

    name: str
    label: str
    runner: str
    compared: bool
    mean: Estimate
    ratio: Estimate
    timed: int
    lost: dict[str, int]

    @property
    def failures(self) -> str:
        """What was lost in words; empty where nothing was."""
        return ", ".join(f"{count} {status}" for status, count in self.lost.items())


@dataclass(frozen=True)
class Kind:
    """All problems of one kind. methods: entries by method, a runner each. common: by runner, the problems over which
    means are taken, and those with any R at all. frameworks: R of the second runner ÷ R of the first over their common
    (problem, method) cells."""

    name: str
    base: str
    methods: dict[str, list[Entry]]
    common: dict[str, tuple[int, int]]
    frameworks: list[tuple[str, str, Estimate]]


def kind(group: Group) -> str:
    """``implicit`` where a fixed point is differentiated, so that an adjoint stands beside the gradient method."""
    return "explicit" if all(row["method"] == row["gradient"] for row in group.rows) else "implicit"


def geometric(values: Iterable[float]) -> Estimate:
    """exp of the mean of logarithms, with exp of their t-interval; one value has no interval."""
    found = mean(math.log(value) for value in values)
    # Damaged files hold ratios whose interval is beyond what a float can be.
    value, low, high = (math.exp(min(one, 700.0)) for one in found[:3])
    return Estimate(value, low, high, found.samples)


def boxes(groups: list[Group]) -> Boxes:
    """Every cell by name of its method, runner and group.

    The name is the method's label. Where one runner has several cells of a label in one problem, the options in which
    they differ are told with it, so that each has a box of its own.
    """
    varied: dict[str, set[str]] = {}
    for group in groups:
        for label in dict.fromkeys(row["label"] for row in group.rows):
            chosen = [(row["runner"], row["options"]) for row in group.rows if row["label"] == label]
            for (one, ours), (other, theirs) in combinations(chosen, 2):
                if one == other:
                    names = {*ours, *theirs}
                    varied.setdefault(label, set()).update(n for n in names if ours.get(n) != theirs.get(n))
    found: Boxes = {}
    for index, group in enumerate(groups):
        for row in group.rows:
            told = settings({name: row["options"].get(name, "unset") for name in varied.get(row["label"], ())})
            name = f"{row['label']} ({told})" if told else row["label"]
            here = found.setdefault(name, {}).setdefault(row["runner"], {})
            if index not in here or math.isnan(here[index]["R"]):
                here[index] = row
    labels = {name: next(iter(next(iter(runners.values())).values()))["label"] for name, runners in found.items()}
    return {name: found[name] for name in sorted(found, key=lambda name: order(labels[name]))}


def titles(groups: list[Group]) -> list[str]:
    """The groups' titles, with dtype and seed where a title alone would stand for two of them."""
    every = [group.title for group in groups]
    return [
        f"{group.title}, {group.dtype}, seed {group.seed}" if every.count(group.title) > 1 else group.title
        for group in groups
    ]


def table(groups: list[Group]) -> list[Kind]:
    """The explicit problems, then the implicit ones; a kind of which nothing was visited is left out."""
    of_kind = {name: [group for group in groups if group.rows and kind(group) == name] for name in BASES}
    return [_kind(name, boxes(ours)) for name, ours in of_kind.items() if ours]


def part(groups: list[Group]) -> Part | None:
    """The part of the page; ``None`` where no cell was timed."""
    kinds = table(groups)
    if not any(entry.timed for one in kinds for entries in one.methods.values() for entry in entries):
        return None
    return Part("means", "Geometric means", "means.html.j2", kinds, tables={"means": _frame(kinds)}, short="Means")


def _kind(name: str, found: Boxes) -> Kind:
    runners = sorted({runner for of in found.values() for runner in of}, key=place)[:MOST_RUNNERS]
    timed = {
        (method, runner): {index: row["R"] for index, row in of.get(runner, {}).items() if _usable(row)}
        for method, of in found.items()
        for runner in runners
    }
    base = next((one for one in found if one == BASES[name] and any(timed[one, run] for run in runners)), "")
    base = base or next((one for one in found if any(timed[one, run] for run in runners)), "")
    methods: dict[str, list[Entry]] = {}
    common: dict[str, tuple[int, int]] = {}
    for runner in runners:
        every = {index for method in found for index in timed[method, runner]}
        compared = [method for method in found if every and 2 * len(timed[method, runner]) >= len(every)]
        shared = set.intersection(*(set(timed[method, runner]) for method in compared)) if compared else set()
        common[runner] = (len(shared), len(every))
        for method in (one for one in found if runner in found[one]):
            own, below = timed[method, runner], timed.get((base, runner), {})
            rows = found[method][runner].values()
            entry = Entry(
                name=method,
                label=next(iter(rows))["label"],
                runner=runner,
                compared=method in compared,
                mean=geometric(own[index] for index in shared if method in compared),
                ratio=geometric(own[index] / below[index] for index in own if index in below),
                timed=len(own),
                lost=dict(Counter(_why(row) for row in rows if not _usable(row))),
            )
            methods.setdefault(method, []).append(entry)
    pairs = [(one, other, _quotient(timed, list(found), one, other)) for one, other in combinations(runners, 2)]
    ordered = {method: methods[method] for method in found if method in methods}
    return Kind(name, base, ordered, common, [pair for pair in pairs if pair[2].samples])


def _usable(row: Record) -> bool:
    """Whether a cell has an R that means something: one below 1 is in a forward that is no unit."""
    return not math.isnan(row["R"]) and not no_unit(row)


def _why(row: Record) -> str:
    return f"R {NO_UNIT}" if no_unit(row) else str(row["status"])


def _quotient(timed: dict[tuple[str, str], dict[int, float]], methods: list[str], one: str, other: str) -> Estimate:
    """Of the second runner's R ÷ the first's, over the cells that both timed."""
    return geometric(
        timed[method, other][index] / value
        for method in methods
        for index, value in timed[method, one].items()
        if index in timed[method, other]
    )


def _frame(kinds: list[Kind]) -> pd.DataFrame:
    """One row a method and runner, and one a pair of runners."""
    rows = []
    for one in kinds:
        for entry in (entry for entries in one.methods.values() for entry in entries):
            rows.append({"kind": one.name, "label": entry.name, "runner": entry.runner, "compared": entry.compared})
            rows[-1] |= columns("mean_R", entry.mean) | columns("R_over_base", entry.ratio)
            rows[-1] |= {"base": one.base, "timed": entry.timed, "not_timed": entry.failures}
        for first, second, found in one.frameworks:
            rows.append({"kind": one.name, "runner": f"{second} ÷ {first}", **columns("R_over_R", found)})
    return pd.DataFrame(rows)


def columns(name: str, found: Estimate) -> dict[str, float]:
    """An estimate as columns of a table of data."""
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high, f"{name}_n": found.samples}
