"""Time: rounds of interleaved calls, each right after another one of its kind, by two clocks.

A slow minute of the machine slows every call of a round, so the ratios of a round hold where separate medians drift
apart. What another process takes of the core meanwhile is in the wall clock's seconds and not in the processor's.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple, TypeVar

from bench.stats import had_core

Call = Callable[[], Any]
Sync = Callable[[Any], Any]
"""Waits until the device has finished a call's result, and is part of each timed call."""

Clock = Callable[[], float]
Name = TypeVar("Name")

COARSEST_S = 1e-6
"""A clock of the processor whose steps are longer is not read: on Windows they are those of the scheduler, 16 ms."""


class Times(NamedTuple):
    """Seconds of calls of one kind, by the wall clock and by that of the processor, which counts what this process
    computed; the latter empty where it was not read."""

    wall: list[float]
    cpu: list[float]


def processor_clock(device: str) -> Clock | None:
    """The clock of what this process computes itself; None where it is too coarse, and for another device than the cpu,
    which works while the process sleeps."""
    fine = time.get_clock_info("process_time").resolution <= COARSEST_S
    return time.process_time if fine and device == "cpu" else None


def rounds(
    calls: Mapping[str, Call],
    *,
    sync: Sync,
    clock: Clock = time.perf_counter,
    cpu_clock: Clock | None = None,
    budget_s: float = 1.0,
    least: int = 9,
    most: int = 61,
    warm: int = 1,
) -> dict[str, Times]:
    """Seconds of every call, index by index one round taken at nearly the same moment.

    Rounds are taken until ``budget_s`` seconds have passed, but at least ``least`` and at most ``most`` of them. A call
    that does not follow its own kind is made once before it is timed, and that one does not count; nor do the calls of
    ``warm`` rounds before the first, in which each is made twice.
    """
    names = list(calls)
    for name in names * warm:  # allocators, lazily loaded kernels, first-call compilation
        block(calls[name], sync=sync, clock=clock)
    found = {name: Times([], []) for name in names}
    begun, made = clock(), 0
    last = names[-1] if names else None
    while made < most and (made < least or clock() - begun < budget_s):
        for name in order(names, made):
            wall_s, cpu_s = block(calls[name], sync=sync, clock=clock, cpu_clock=cpu_clock, discard=name != last)
            found[name].wall.append(wall_s)
            if cpu_clock is not None:
                found[name].cpu.append(cpu_s)
            last = name
        made += 1
    return found


def by_one_clock(*taken: Mapping[str, Times]) -> list[dict[str, list[float]]]:
    """The seconds of calls that one process took, in one or more sets of ``rounds``, by one clock for all: the wall
    clock, but the processor's where the process did not have its core."""
    every = [one for rounds_ in taken for one in rounds_.values()]
    had = had_core(chain.from_iterable(one.wall for one in every), chain.from_iterable(one.cpu for one in every))
    return [{name: one.wall if had else one.cpu for name, one in rounds_.items()} for rounds_ in taken]


def order(names: Sequence[Name], index: int) -> list[Name]:
    """The order of one round: every second one is the round before it reversed. Of more than two names each two rounds
    start one name later, so that over 2·n rounds every name stands equally often at every place."""
    start = index // 2 % len(names) if len(names) > 2 else 0
    turned = [*names[start:], *names[:start]]
    return turned[::-1] if index % 2 else turned


def overhead(sync: Sync, clock: Clock = time.perf_counter, calls: int = 101) -> float:
    """Median seconds of an empty timed call: what the harness itself adds to every timed call."""
    return statistics.median(block(_nothing, sync=sync, clock=clock)[0] for _ in range(calls))


def block(
    call: Call,
    *,
    sync: Sync,
    clock: Clock = time.perf_counter,
    cpu_clock: Clock | None = None,
    calls: int = 1,
    discard: bool = True,
) -> tuple[float, float]:
    """Seconds a call by both clocks (NaN by one that is not read), of ``calls`` in a row, each up to the moment when
    the device is done; ``discard``: after one that does not count."""
    if discard:
        sync(call())  # discarded: the first call after another kind pays for that kind's cold caches
    cpu_start = cpu_clock() if cpu_clock else float("nan")
    start = clock()
    for _ in range(calls):
        sync(call())  # timed
    end = clock()
    cpu_end = cpu_clock() if cpu_clock else float("nan")
    return (end - start) / calls, (cpu_end - cpu_start) / calls


def _nothing() -> None:
    """The empty call."""
