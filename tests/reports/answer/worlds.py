"""Made-up cells of which the right answer is known."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from math import nan
from typing import Any

import pandas as pd

from bench.stats import Estimate
from reports import cells
from reports.answer import part
from reports.answer.answer import Answer, Content, Situation, build
from reports.answer.candidate import BYTES, FORWARDS, Candidate, Case
from reports.frame import samples
from reports.papers import Papers
from reports.part import Part
from tests.rows import Method, Row, exact, results, run, timed, typed
from tests.rows import papers as papers_of

LAYER = {"batch": 16, "kind": "symmetric", "width": 64}
UNROLLED: Method = ("unrolled", {})
JFB: Method = ("jfb", {})


def picard(M: int) -> Method:
    """IFT with so many backward steps."""
    return "ift", {"linear_solver": "picard", "M": M}


RUN = typed(run())
"""The run of every grid here."""


def frame(rows: Iterable[Row]) -> pd.DataFrame:
    """One row a cell."""
    return cells(results(rows))


def frames(rows: Iterable[Row]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row a cell, and one row a pair."""
    found = results(rows)
    return cells(found), samples(found)


def papers(rows: Iterable[Row], **changes: Any) -> Papers:
    """The rows as those of the experiment on work and precision, on the same machine unless ``changes`` say else."""
    return papers_of({"work_precision": rows}, **changes)


def answered(rows: Iterable[Row], of: Papers | None = None, evidence: Container[str] = ()) -> Content:
    """The answer of rows of a grid."""
    return build(*frames(rows), of, evidence, RUN)


def parted(rows: Iterable[Row], of: Papers | None = None, evidence: Container[str] = ()) -> Part:
    """The same as a part of the page."""
    return part(*frames(rows), of, evidence, RUN)


def situation(name: str, content: Content) -> Situation:
    """The named situation."""
    return next(one for one in content.situations if one.rule.name == name)


def answer(name: str, rows: list[Row], of: Papers | None = None, evidence: Any = ()) -> Answer:
    """The only answer of a situation."""
    (found,) = situation(name, answered(rows, of, evidence)).answers
    return found


def cell(
    method: Method,
    ratio: float,
    error: float,
    *,
    half: float = 0.01,
    workers: int = 4,
    forward: float = 1.0,
    **what: Any,
) -> Iterator[Row]:
    """Every visit of a cell whose workers find R (1 ± half) × ratio, in forwards of 2 × forward milliseconds."""
    for worker in range(workers):
        side = 1 + half * (1 if worker % 2 else -1)
        row = timed(ratio * side, worker, noise=0.0, method=method, **what)
        yield row | {"samples": {name: [forward * one for one in times] for name, times in row["samples"].items()}}
    yield exact(2_000_000, method=method, values={"gradient_error": error}, **what)


def layer(
    method: Method, ratio: float, error: float, *, gamma: float = 0.95, K: int = 100, **more: Any
) -> Iterator[Row]:
    """A cell of the tanh layer."""
    name, options = method
    sizes = {**LAYER, "gamma": gamma}
    yield from cell((name, {**options, "K": K}), ratio, error, problem="tanh", sizes=sizes, **more)


def candidate(method: Method, cost: float, error: float, half: float = 0.01) -> Candidate:
    """A candidate without a file; half: of the interval, relative; NaN for one worker."""
    name, options = method
    ends = cost * (1 - half), cost * (1 + half)
    row = {"method": name, "options": dict(options), "gradient": "backprop", "gradient_error": error, "workers": 4.0}
    row |= {"R": cost, "R_low": ends[0], "R_high": ends[1], "peak_bytes": nan, "forward_peak_bytes": nan}
    return Candidate(row, Estimate(cost, *ends, 4))


def case(*candidates: Candidate, unit: str = FORWARDS, longest: float = nan) -> Case:
    """A case of them."""
    source = "memory/K" if unit == BYTES else "results"
    return Case("tanh", {"gamma": 0.9}, "torch", "float32", source, unit, candidates, longest=longest)
