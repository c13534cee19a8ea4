"""Paired timing on an invented device: exact there, and each safeguard is missed when it is taken out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bench.instruments import timing
from tests.bench.mutation import mutated

FORWARD, GRADIENT, COLD, FIRST = 1.0, 3.0, 0.5, 8.0  # seconds, exact in binary


class Device:
    """Calls put work in a queue and return at once; only ``sync`` lets time pass.

    The first call after the other method costs ``COLD`` more, the first three calls of each method ``FIRST``
    more.
    """

    def __init__(self) -> None:
        self.now, self.queued, self.calls = 0.0, 0.0, [""]

    def _call(self, name: str, seconds: float) -> str:
        cold = COLD if self.calls[-1] != name else 0.0
        first = FIRST if self.calls.count(name) < 3 else 0.0
        self.queued += seconds + cold + first
        self.calls.append(name)
        return name

    def forward(self) -> str:
        return self._call("forward", FORWARD)

    def gradient(self) -> str:
        return self._call("gradient", GRADIENT)

    def sync(self, result: object) -> None:
        assert result == self.calls[-1] or result is None
        self.now, self.queued = self.now + self.queued, 0.0

    def clock(self) -> float:
        return self.now


def check_exact(paired: Callable[..., Any]) -> None:
    """Every pair is what the device takes, to the last bit."""
    device = Device()
    forward_s, gradient_s = paired(
        device.forward, device.gradient, sync=device.sync, clock=device.clock, budget_s=0.0, least=9, most=61
    )
    assert forward_s == [FORWARD] * 9
    assert gradient_s == [GRADIENT] * 9


def test_pairs_are_exact() -> None:
    check_exact(timing.paired)


MUTATIONS = [
    ("no discarded call", "    sync(call())  # discarded", "    pass  # discarded"),
    ("discarded call not waited for", "    sync(call())  # discarded", "    call()  # discarded"),
    ("timed call not waited for", "    sync(call())  # timed", "    call()  # timed"),
    (
        "wait after the clock stopped",
        "    return clock() - start",
        "    end = clock(); sync(call()); return clock() - end + end - start",
    ),
    ("no warm-up", "for _ in range(2):", "for _ in range(0):"),
]


@pytest.mark.parametrize(("old", "new"), [pair[1:] for pair in MUTATIONS], ids=[pair[0] for pair in MUTATIONS])
def test_the_check_misses_each_safeguard_that_is_taken_out(old: str, new: str) -> None:
    with pytest.raises(AssertionError):
        check_exact(mutated(timing, (old, new))["paired"])


def test_the_order_alternates_and_each_timed_call_follows_its_own_kind() -> None:
    device = Device()
    timing.paired(device.forward, device.gradient, sync=device.sync, clock=device.clock, budget_s=0.0, least=4)
    kept = device.calls[1 + 8 :]  # two warm-up rounds of two doubled calls
    assert kept[::2] == kept[1::2]  # discarded, timed, discarded, timed, …
    assert kept[::2] == ["gradient", "forward", "forward", "gradient"] * 2


@pytest.mark.parametrize(("budget_s", "pairs"), [(0.0, 3), (27.0, 3), (81.0, 9), (81.5, 10), (1e9, 12)])
def test_pairs_stop_at_the_budget_between_least_and_most(budget_s: float, pairs: int) -> None:
    def call() -> None:
        device.now += 2.25  # four calls a pair: 9 s

    device = Device()
    forward_s, gradient_s = timing.paired(
        call, call, sync=lambda result: None, clock=device.clock, budget_s=budget_s, least=3, most=12
    )
    assert len(forward_s) == len(gradient_s) == pairs


def test_the_overhead_is_the_median_of_empty_timed_calls() -> None:
    device = Device()
    syncs: list[object] = []

    def sync(result: object) -> None:
        assert result is None
        syncs.append(result)
        device.now += 0.25 if len(syncs) > 10 else 4.0

    assert timing.overhead(sync, device.clock) == 0.25
