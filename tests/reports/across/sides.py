"""Two made-up results files whose quotients are known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from reports import Results, read
from tests.rows import BACKPROP, GAUSSIAN, GIVEN, Method, Row, exact, run, timed, write

A, B = "a" * 12, "b" * 12
"""Ids of runs."""

METHODS: Mapping[str, Method] = {"backprop": BACKPROP, "gaussian": GAUSSIAN, "given": GIVEN}


def workers(middle: float, spread: float = 0.0, count: int = 8) -> list[float]:
    """R of each worker: half of them ``spread`` above the middle, half below, as factors."""
    return [middle * (1 + spread) ** (1 if worker % 2 else -1) for worker in range(count)]


def cell(ratios: Sequence[float], of: str, peak: int = 1000, values: Row | None = None, **what: Any) -> Iterable[Row]:
    """The visits of one cell: R of each worker exactly, bytes and other exact values."""
    for worker, ratio in enumerate(ratios):
        yield timed(ratio, worker, pairs=3, noise=0.0, run=of, **what)
    yield exact(peak, run=of, values={"flops": 10**9, **(values or {})}, **what)


def results(path: Path, of: str, cells: Iterable[Iterable[Row]], **changes: Any) -> Results:
    """A file of one run, read."""
    return read(file(path, of, cells, **changes))


def file(path: Path, of: str, cells: Iterable[Iterable[Row]], **changes: Any) -> Path:
    """A file of one run."""
    return write(path, [run(of, **changes), *chain.from_iterable(cells)])
