"""One benchmark a cell: the seconds of its gradient call, beside what the measuring core says of it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bench.expected import expectation
from bench.pytest_compare.session import Session
from bench.subjects import build


def test_gradient(problem: str, method: str, framework: str, measured: Session, benchmark: Any, tmp_path: Path) -> None:
    """Time one gradient call up to the moment when the device has finished it.

    The measuring core has held the gradient against its oracle before, in other processes: a cell that it found wrong
    or could not measure is not timed, fails with its status and reason, and leaves its neighbours alone. One that the
    register expects to come out so is skipped.
    """
    cell = measured.cell(problem=problem, method=method, framework=framework)
    found = measured.extra_info(cell)
    benchmark.group = problem
    benchmark.extra_info.update(found)
    if found["status"] in ("n/a", expectation(cell)[0]) and found["status"] != "ok":
        pytest.skip(f"{found['status']}, as expected: {found['reason']}")
    if found["status"] != "ok":
        # Inside the benchmark, since pytest-benchmark warns of a test that did not use it.
        benchmark(partial(pytest.fail, f"{found['status']}: {cell.id}: {found['reason']}", pytrace=False))
    job = build(cell, tmp_path)
    for _ in range(2):  # allocators, lazily loaded kernels, first-call compilation
        job.sync(job.gradient())
    benchmark(lambda: job.sync(job.gradient()))
