"""Time: rounds of interleaved calls, each after a discarded one of its kind.

A slow minute of the machine slows every call of a round, so the ratios of a round hold where separate medians drift
apart.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

Call = Callable[[], Any]
Sync = Callable[[Any], Any]
"""Waits until the device has finished a call's result, and is part of each timed call."""

Clock = Callable[[], float]
Name = TypeVar("Name")


def rounds(
    calls: Mapping[str, Call],
    *,
    sync: Sync,
    clock: Clock = time.perf_counter,
    budget_s: float = 1.0,
    least: int = 9,
    most: int = 61,
) -> dict[str, list[float]]:
    """Seconds of every call, index by index one round taken at nearly the same moment.

    Rounds are taken until ``budget_s`` seconds have passed, but at least ``least`` and at most ``most`` of them.
    """
    names = list(calls)
    for _ in range(2):  # warm-up rounds: allocators, lazily loaded kernels, first-call compilation
        for name in names:
            block(calls[name], sync=sync, clock=clock)
    found: dict[str, list[float]] = {name: [] for name in names}
    begun, made = clock(), 0
    while made < most and (made < least or clock() - begun < budget_s):
        for name in order(names, made):
            found[name].append(block(calls[name], sync=sync, clock=clock))
        made += 1
    return found


def order(names: Sequence[Name], index: int) -> list[Name]:
    """The order of one round: every second one is the round before it reversed, and each two start one name later, so
    that over 2·n rounds every name stands equally often at every place."""
    start = index // 2 % max(1, len(names))
    turned = [*names[start:], *names[:start]]
    return turned[::-1] if index % 2 else turned


def overhead(sync: Sync, clock: Clock = time.perf_counter, calls: int = 101) -> float:
    """Median seconds of an empty timed call: what the harness itself adds to every timed call."""
    return statistics.median(block(_nothing, sync=sync, clock=clock) for _ in range(calls))


def block(call: Call, *, sync: Sync, clock: Clock = time.perf_counter, calls: int = 1) -> float:
    """Seconds a call, of ``calls`` in a row after a discarded one, each up to the moment when the device is done."""
    sync(call())  # discarded: the first call after another kind pays for that kind's cold caches
    start = clock()
    for _ in range(calls):
        sync(call())  # timed
    return (clock() - start) / calls


def _nothing() -> None:
    """The empty call."""
