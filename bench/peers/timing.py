"""Seconds of the contenders of one cell, interleaved; the slow ones in rounds of their own beside what they are
divided by, so that they do not take the time of all others."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from bench.instruments.timing import Call, rounds

BUDGET_S = 0.7
LEAST = 3
MOST = 31
"""Seconds and numbers of rounds in one worker process; what counts is the spread between processes."""

SLOW_LEAST = 2
SLOW_S = 0.05
SLOW_RATIO = 5.0
"""A contender that takes more than this many seconds, and this many times what it is divided by, is slow."""

Rounds = dict[str, list[float]]


def seconds_once(call: Call, sync: Callable[[Any], Any]) -> float:
    """Seconds of one warm call, to tell the slow ones."""
    begun = time.perf_counter()
    sync(call())
    return time.perf_counter() - begun


def side_by_side(
    calls: Mapping[str, Call], base_of: Mapping[str, str], *, sync: Callable[[Any], Any], forwards: Mapping[str, Call]
) -> dict[str, tuple[Rounds, str]]:
    """Of every name in ``calls`` the rounds that it took part in, and the name that it is divided by, which took part
    in the same ones. base_of: that name, itself included. ``forwards`` are timed beside them and come out likewise.
    """
    once = {name: seconds_once(call, sync) for name, call in calls.items()}
    slow = [name for name in calls if once[name] > max(SLOW_S, SLOW_RATIO * once.get(base_of[name], 0.0))]
    quick = {name: call for name, call in calls.items() if name not in slow} | dict(forwards)
    taken = rounds(quick, sync=sync, budget_s=BUDGET_S, least=LEAST, most=MOST)
    found = {name: (taken, base_of.get(name, name)) for name in quick}
    for name in slow:
        beside = {one: calls[one] for one in (base_of[name], name) if one in calls}
        found[name] = (rounds(beside, sync=sync, budget_s=0.0, least=SLOW_LEAST, most=SLOW_LEAST), base_of[name])
    return found
