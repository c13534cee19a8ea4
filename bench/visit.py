"""One visit: build a cell, check its gradient against the oracle, and only then measure it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from bench.failures import failure
from bench.instruments.machine import Watch
from bench.instruments.timing import Clock, overhead, rounds

Answer = dict[str, Any]


class Job(Protocol):
    """A cell built in one framework, ready to be measured."""

    @property
    def sizes(self) -> Mapping[str, Any]:
        """All sizes of the problem, defaults filled in."""

    def forward(self) -> Any:
        """Evaluate the loss, with no gradient recorded."""

    def gradient(self) -> Any:
        """Evaluate the loss and its gradient."""

    def sync(self, result: Any) -> Any:
        """Wait until the device has finished ``result``."""

    def check(self) -> float | None:
        """Deviation of the gradient from its oracle, None where there are no numbers; raises ``Wrong`` or
        ``Diverged``."""

    def exact(self) -> dict[str, Any]:
        """Values of an exact visit."""

    def values(self) -> dict[str, Any]:
        """Values of a time visit that building the cell gave."""


def visit(
    job_factory: Callable[[], Job],
    measure: str,
    *,
    clock: Clock = time.perf_counter,
    visible_gpu: str | None = None,
    **pairs: Any,
) -> Answer:
    """What one visit found: its status and reason, samples, values, conditions, and all sizes of the problem.

    Nothing that goes wrong with a cell is raised: it becomes a status. ``pairs`` goes to ``rounds``; ``visible_gpu``
    names the GPU whose clock is looked at.
    """
    answer: Answer = {"status": "ok", "reason": "", "samples": {}, "values": {}}
    try:
        job = job_factory()
        answer["sizes"] = dict(job.sizes)
        deviation = job.check()  # right before fast: a wrong gradient is never measured
        if measure == "time":
            found = {**job.values(), "overhead_s": overhead(job.sync, clock)}
            forward, gradient = job.forward, job.gradient
            job.sync(forward())  # compiled here, before anything is watched
            with Watch(visible_gpu) as watch:
                calls = {"forward_s": forward, "gradient_s": gradient}
                answer["samples"] = rounds(calls, sync=job.sync, clock=clock, **pairs)
            answer["conditions"] = watch.found
        elif measure == "exact":
            found = job.exact()
        else:
            raise ValueError(f"No measure {measure!r}: known are time and exact.")
        answer["values"] = {**found, "oracle_deviation": deviation}
    except Exception as error:
        answer["status"], answer["reason"] = failure(error)
    return answer
