"""Time of several calls side by side: rounds in which each is timed once, after a discarded call of its own."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TypeVar

from bench.instruments.timing import Call, Clock, Sync, block

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

    What ``timing.paired`` is for two calls: a slow minute of the machine slows all of a round, so the ratios of a round
    hold where separate medians drift apart. ``sync(result)`` waits for the device and is part of each timed call.
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
