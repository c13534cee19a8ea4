"""Two results files, cell by cell: what stands in both, what in one of them alone, and what must not be compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import isnan, log, nan
from typing import Any

import pandas as pd

from bench.rows import VisitRow
from bench.stats import CLASSES, Estimate, judge, unpaired
from reports.across.exact import Change, error
from reports.frame import cells, samples
from reports.headline import Record, groups, options
from reports.labels import order, place, settings
from reports.load import IDENTITY, Results, identity

Key = tuple[Any, ...]

EXACT: dict[str, Callable[[float, float], Change]] = {"peak_bytes": Change, "flops": Change, "gradient_error": error}
"""The exact numbers that are compared, and how."""


@dataclass(frozen=True)
class Pair:
    """One cell in both files. a, b: its rows of ``frame.cells``; ratio: R of B ÷ R of A, NaN unless both have R;
    title: its problem, told apart from others of its name."""

    a: Record
    b: Record
    ratio: Estimate
    title: str

    @property
    def timed(self) -> bool:
        """Whether a side timed it, or tried to."""
        return bool(self.a["time_status"] or self.b["time_status"])

    @cached_property
    def verdict(self) -> str:
        """The class of the quotient of R; empty where there is none."""
        return "" if isnan(self.ratio.value) else judge(self.ratio)

    @property
    def options(self) -> str:
        """The options that the method's name does not tell."""
        return options(self.b)

    @property
    def status(self) -> str:
        """``ok → failed`` where the status changed, else empty."""
        before, after = self.a["status"], self.b["status"]
        return "" if before == after else f"{before} → {after}"

    def change(self, name: str) -> Change:
        """One of the exact numbers on both sides."""
        return EXACT[name](self.a[name], self.b[name])


@dataclass(frozen=True)
class Matched:
    """pairs: the cells that are compared. only_a, only_b: ids of those in one file. shared: ids of those that are the
    same visits in both files. resized: ids that mean other sizes or options in the other file."""

    pairs: list[Pair]
    only_a: list[str]
    only_b: list[str]
    shared: list[str]
    resized: list[str]
    frames: tuple[pd.DataFrame, pd.DataFrame]


def match(a: Results, b: Results) -> Matched:
    """Each cell of A with that of the same id, framework, mode, device, dtype and seed in B; of the pairs the worse
    come first, then the better, the undecided, the same and those without times."""
    frames = cells(a), cells(b)
    rows_a, rows_b = ({_key(row): row for row in frame.to_dict("records")} for frame in frames)
    both = [key for key in rows_b if key in rows_a]
    known = shared(a, b)
    alike = {key for key in both if _alike(rows_a[key], rows_b[key])}
    compared = [key for key in both if key in alike and key not in known]
    workers = _per_worker(a), _per_worker(b)
    titles = _titles(frames[1][[_key(row) in alike for row in frames[1].to_dict("records")]])
    pairs = []
    for key in compared:
        row_a, row_b = rows_a[key], rows_b[key]
        both_timed = not (isnan(row_a["R"]) or isnan(row_b["R"]))
        ratio = unpaired(workers[1][key], workers[0][key]) if both_timed else Estimate(nan, nan, nan, 0)
        pairs.append(Pair(row_a, row_b, ratio, titles.get(key) or f"{row_b['problem']}, {settings(row_b['sizes'])}"))
    return Matched(
        sorted(pairs, key=_order),
        [key[0] for key in rows_a if key not in rows_b],
        [key[0] for key in rows_b if key not in rows_a],
        [key[0] for key in both if key in known],
        [key[0] for key in both if key not in alike],
        frames,
    )


def identities(results: Results) -> set[Key]:
    """What tells apart the cells that were visited."""
    return set(map(identity, results.visits))


def shared(a: Results, b: Results) -> set[Key]:
    """Cells of which the two files hold one and the same visit: a measurement says nothing about itself."""
    known: dict[Key, list[VisitRow]] = {}
    for visit in a.counted:
        known.setdefault(identity(visit), []).append(visit)
    return {identity(visit) for visit in b.counted if visit in known.get(identity(visit), [])}


def _key(row: Record) -> Key:
    """What tells cells apart, of a row of a frame, as ``identity`` of a visit."""
    return tuple(row[name] for name in ("cell", *IDENTITY))


def _order(pair: Pair) -> tuple[Any, ...]:
    """By class, then the largest change first, then by name."""
    known = not isnan(pair.ratio.value)
    rank = CLASSES.index(pair.verdict) if known else len(CLASSES)
    size = -abs(log(pair.ratio.value)) if known else 0.0
    return rank, size, pair.title, order(pair.b["label"]), pair.options, place(pair.b["runner"])


def _alike(a: Record, b: Record) -> bool:
    """Whether sizes and options agree where both know them: an id names only what was given, the rest are defaults."""
    return all(
        a[table][name] == b[table][name] for table in ("sizes", "options") for name in a[table] if name in b[table]
    )


def _per_worker(results: Results) -> dict[Key, list[float]]:
    """R of each worker process of each cell: the median over its pairs."""
    frame = samples(results)
    found: dict[Key, list[float]] = {}
    for (*key, _), value in frame.groupby(["cell", *IDENTITY, "worker"], sort=True)["R"].median().items():
        found.setdefault(_key(dict(zip(("cell", *IDENTITY), key, strict=True))), []).append(float(value))
    return found


def _titles(frame: pd.DataFrame) -> dict[Key, str]:
    """The names that the headline table gives the problems of timed cells."""
    return {_key(row): group.title for group in groups(frame) for row in group.rows}
