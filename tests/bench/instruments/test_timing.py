"""Timing on an invented device: exact there, and each safeguard is missed when it is taken out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.instruments import timing
from bench.instruments.timing import order, rounds
from tests.bench.mutation import mutated

SECONDS = {"one": 1.0, "two": 3.0, "three": 0.5}  # exact in binary
COLD, FIRST = 0.5, 8.0


class Device:
    """Calls put work in a queue and return at once; only ``sync`` lets time pass.

    The first call after another kind costs ``COLD`` seconds more, the first three calls of each kind ``FIRST`` more.
    """

    def __init__(self) -> None:
        self.now, self.queued, self.made = 0.0, 0.0, [""]

    def call(self, name: str, seconds: float | None = None) -> str:
        cold = COLD if self.made[-1] != name else 0.0
        first = FIRST if self.made.count(name) < 3 else 0.0
        self.queued += (SECONDS[name] if seconds is None else seconds) + cold + first
        self.made.append(name)
        return name

    def calls(self) -> dict[str, Callable[[], str]]:
        return {name: partial(self.call, name) for name in SECONDS}

    def sync(self, result: object) -> None:
        assert result == self.made[-1] or result is None
        self.now, self.queued = self.now + self.queued, 0.0

    def clock(self) -> float:
        return self.now


def check_exact(taken: Callable[..., Any]) -> None:
    """Every round is what the device takes, to the last bit."""
    device = Device()
    found = taken(device.calls(), sync=device.sync, clock=device.clock, budget_s=0.0, least=7, most=61)
    assert found == {name: [seconds] * 7 for name, seconds in SECONDS.items()}


def test_every_round_is_exact() -> None:
    check_exact(rounds)


MUTATIONS = {
    "no discarded call": ("    sync(call())  # discarded", "    pass  # discarded"),
    "discarded call not waited for": ("    sync(call())  # discarded", "    call()  # discarded"),
    "timed call not waited for": ("        sync(call())  # timed", "        call()  # timed"),
    "wait after the clock stopped": (
        "        sync(call())  # timed\n    return (clock() - start) / calls",
        "        result = call()\n    end = clock()\n    sync(result)\n    return (end - start) / calls",
    ),
    "no warm-up": ("for _ in range(2):", "for _ in range(0):"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_the_check_misses_each_safeguard_that_is_taken_out(name: str) -> None:
    changed = mutated(timing, MUTATIONS[name])["rounds"]
    with pytest.raises(AssertionError):
        check_exact(changed)


def test_each_timed_call_follows_its_own_kind_and_rounds_turn_back() -> None:
    device = Device()
    rounds(device.calls(), sync=device.sync, clock=device.clock, budget_s=0.0, least=4)
    kept = device.made[1 + 12 :]  # two warm-up rounds of three doubled calls
    assert kept[::2] == kept[1::2]  # discarded, timed, discarded, timed, …
    expected = [["one", "two", "three"], ["three", "two", "one"], ["two", "three", "one"], ["one", "three", "two"]]
    assert kept[::2] == [name for turn in expected for name in turn]


@given(st.integers(1, 9))
def test_every_name_stands_equally_often_at_every_place(count: int) -> None:
    names = range(count)
    places = Counter((place, name) for index in range(2 * count) for place, name in enumerate(order(names, index)))
    assert places == {(place, name): 2 for place in names for name in names}


@pytest.mark.parametrize(("budget_s", "expected"), [(0.0, 3), (27.0, 3), (81.0, 9), (81.5, 10), (1e9, 12)])
def test_rounds_stop_at_the_budget_between_least_and_most(budget_s: float, expected: int) -> None:
    device = Device()

    def call() -> None:
        device.now += 2.25  # four calls a round of two: 9 s

    found = rounds({"a": call, "b": call}, sync=device.sync, clock=device.clock, budget_s=budget_s, least=3, most=12)
    assert [len(taken) for taken in found.values()] == [expected, expected]


def test_no_calls_take_no_time() -> None:
    device = Device()
    assert rounds({}, sync=device.sync, clock=device.clock, budget_s=0.0) == {}


def test_a_block_is_the_mean_of_its_calls() -> None:
    device = Device()
    for _ in range(3):
        device.sync(device.call("two"))
    assert timing.block(partial(device.call, "two"), sync=device.sync, clock=device.clock, calls=4) == SECONDS["two"]


def test_the_overhead_is_the_median_of_empty_timed_calls() -> None:
    device = Device()
    syncs: list[object] = []

    def sync(result: object) -> None:
        assert result is None
        syncs.append(result)
        device.now += 0.25 if len(syncs) > 10 else 4.0

    assert timing.overhead(sync, device.clock) == 0.25
