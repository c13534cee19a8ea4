"""Time: interleaved pairs of a forward and a gradient call, each after a discarded one of its kind."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

Call = Callable[[], Any]
Sync = Callable[[Any], Any]
Clock = Callable[[], float]


def paired(
    forward: Call,
    gradient: Call,
    *,
    sync: Sync,
    clock: Clock = time.perf_counter,
    budget_s: float = 1.0,
    least: int = 9,
    most: int = 61,
) -> tuple[list[float], list[float]]:
    """Seconds of ``forward`` and of ``gradient``, index by index one pair taken at nearly the same moment.

    A slow minute of the machine slows both halves of a pair, so their ratio holds where two separate medians
    drift apart. The order alternates from pair to pair. ``sync(result)`` waits until the device has finished
    and is part of each timed call. Pairs are taken until ``budget_s`` seconds have passed, but at least
    ``least`` and at most ``most`` of them.
    """

    def timed(call: Call) -> float:
        return block(call, sync=sync, clock=clock)

    for _ in range(2):  # warm-up rounds: allocators, lazily loaded kernels, first-call compilation
        timed(forward)
        timed(gradient)
    forward_s: list[float] = []
    gradient_s: list[float] = []
    begun = clock()
    while len(forward_s) < most and (len(forward_s) < least or clock() - begun < budget_s):
        if len(forward_s) % 2:
            forward_s.append(timed(forward))
            gradient_s.append(timed(gradient))
        else:
            gradient_s.append(timed(gradient))
            forward_s.append(timed(forward))
    return forward_s, gradient_s


def overhead(sync: Sync, clock: Clock = time.perf_counter, calls: int = 101) -> float:
    """Median seconds of an empty timed call: what the harness itself adds to every timed call."""

    return statistics.median(block(_nothing, sync=sync, clock=clock) for _ in range(calls))


def block(call: Call, *, sync: Sync, clock: Clock = time.perf_counter, calls: int = 1) -> float:
    """Seconds a call, of ``calls`` in a row after a discarded one, each up to the moment when the device is done."""
    sync(call())  # discarded: the first call after the other method pays for that method's cold caches
    start = clock()
    for _ in range(calls):
        sync(call())  # timed
    return (clock() - start) / calls


def _nothing() -> None:
    """The empty call."""
