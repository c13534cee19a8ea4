"""What a verdict rests on, from the rows of its cases: data, frameworks, sizes, seeds, workers, solves that missed."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce

import pandas as pd

from reports.claims import runs
from reports.claims.select import Row, entries, groups, ran, value
from reports.labels import DATA, place

SIZES = ("depth", "width", "channels", "batch", "K")
"""Sizes and options of cells that a scope names."""

SUBJECTS = ("data", "function", "problem", "kind")
"""Columns of records that say what they are about; the first that is there."""

USUAL = "float32"
"""The dtype that is not named."""

MISSED, SHAPES = "solves missed", "cells from shapes alone"
"""What is counted: solves above their tolerance, in training and in scoring; cells that were computed and never ran."""

MOST_LISTED = 3
"""Values of a size that are listed; of more, the least and the greatest."""

Counts = Mapping[str, Mapping[Hashable, int]]
"""Of each name how many, by what they belong to, so that what two cases share counts once."""


@dataclass(frozen=True)
class Scope:
    """on: problems or data sets; runners: frameworks; sizes: by name; seeds, workers: how many each case has."""

    on: frozenset[str] = frozenset()
    runners: frozenset[str] = frozenset()
    dtypes: frozenset[str] = frozenset()
    sizes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    seeds: frozenset[int] = frozenset()
    workers: frozenset[int] = frozenset()
    counts: Counts = field(default_factory=dict)

    def __or__(self, other: Scope) -> Scope:
        """All that either rests on."""
        sizes = {
            name: self.sizes.get(name, frozenset()) | other.sizes.get(name, frozenset())
            for name in dict.fromkeys([*self.sizes, *other.sizes])
        }
        counts = {
            name: {**self.counts.get(name, {}), **other.counts.get(name, {})}
            for name in dict.fromkeys([*self.counts, *other.counts])
        }
        return Scope(
            self.on | other.on,
            self.runners | other.runners,
            self.dtypes | other.dtypes,
            sizes,
            self.seeds | other.seeds,
            self.workers | other.workers,
            counts,
        )

    @property
    def text(self) -> str:
        """``on 8×8 digits (jax, 5 seeds, 528 solves missed)``; empty where nothing is known."""
        told = [
            _both(sorted(self.runners, key=place)),
            _both(sorted(self.dtypes - {USUAL})),
            *(f"{name} {_values(found)}" for name, found in self.sizes.items() if found),
            _many(self.seeds, "seed"),
            _many(self.workers, "worker"),
            *(_counted(name, sum(by.values())) for name, by in self.counts.items()),
        ]
        inside = ", ".join(filter(None, told))
        head = f"on {_both(sorted(self.on))}" if self.on else ""
        return " ".join(filter(None, (head, inside and f"({inside})")))


def union(scopes: Iterable[Scope]) -> Scope:
    """Of all of them."""
    return reduce(Scope.__or__, scopes, Scope())


def of_cells(*found: Row, workers: int = 0) -> Scope:
    """Of cells; workers: how many found the value, 0 of an exact one."""
    settings = [row["sizes"] | row["options"] for row in found]
    shapes: dict[Hashable, int] = {row["cell"]: 1 for row in found if row.get("device") == "meta"}
    return Scope(
        frozenset(str(row["problem"]) for row in found),
        frozenset(map(ran, found)),
        frozenset(str(row["dtype"]) for row in found),
        {name: _known(one.get(name) for one in settings) for name in SIZES},
        workers=frozenset({workers} - {0}),
        counts={SHAPES: shapes},
    )


def of_records(
    *frames: pd.DataFrame,
    sizes: Sequence[str] = ("depth", "width", "channels"),
    seeds: int = 0,
    workers: int = 0,
    counts: Counts | None = None,
) -> Scope:
    """Of records; sizes: the columns that are such."""
    subjects = (_known(one for frame in frames for one in entries(frame, name)) for name in SUBJECTS)
    name, on = next(((name, some) for name, some in zip(SUBJECTS, subjects, strict=True) if some), ("", frozenset()))
    return Scope(
        frozenset(f"{one} maps" if name == "kind" else DATA.get(one, one) for one in on),
        _known(one for frame in frames for one in entries(frame, "framework")),
        _known(one for frame in frames for one in entries(frame, "dtype")),
        {name: _known(one for frame in frames for one in entries(frame, name)) for name in sizes},
        frozenset({seeds} - {0}),
        frozenset({workers} - {0}),
        counts or {},
    )


def of_runs(*frames: pd.DataFrame, seeds: int) -> Scope:
    """Of training runs that are compared seed by seed, with the solves that missed in each."""
    missed: dict[Hashable, int] = {}
    told = ("framework", "data", "method", "k", "rate", "seed")
    for frame in frames:
        for names, of_run in groups(frame, *told):
            missed[tuple(names.items())] = runs.failed(of_run) + runs.failed(of_run, "unscored")
    return of_records(*frames, seeds=seeds, counts={MISSED: missed})


def _known(found: Iterable[object]) -> frozenset[str]:
    return frozenset(filter(None, map(value, found)))


def _values(found: frozenset[str]) -> str:
    """The values of a size: a few are listed, of more the range."""
    ordered = sorted(found, key=lambda one: (_number(one), one))
    if len(ordered) <= MOST_LISTED:
        return ", ".join(ordered)
    return f"{ordered[0]} to {ordered[-1]}"


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("inf")


def _many(found: frozenset[int], noun: str) -> str:
    """``5 seeds``; ``3 to 5 seeds`` where cases differ."""
    if not found:
        return ""
    least, most = min(found), max(found)
    return f"{least} {noun}{'s' if most > 1 else ''}" if least == most else f"{least} to {most} {noun}s"


def _counted(name: str, count: int) -> str:
    if not count:
        return ""
    return f"{count} {name}" if count > 1 else f"1 {name.replace('solves', 'solve').replace('cells', 'cell')}"


def _both(names: Sequence[str]) -> str:
    """``torch and jax``."""
    *head, last = names or [""]
    return f"{', '.join(head)} and {last}" if head else last
