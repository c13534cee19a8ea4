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
from bench.instruments.timing import Times, order, rounds
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
    assert found == {name: ([seconds] * 7, []) for name, seconds in SECONDS.items()}


def test_every_round_is_exact() -> None:
    check_exact(rounds)


MUTATIONS = {
    "no discarded call": ("        sync(call())  # discarded", "        pass  # discarded"),
    "discarded call not waited for": ("        sync(call())  # discarded", "        call()  # discarded"),
    "timed call not waited for": ("        sync(call())  # timed", "        call()  # timed"),
    "wait after the clock stopped": (
        "        sync(call())  # timed\n    end = clock()\n",
        "        result = call()\n    end = clock()\n    sync(result)\n",
    ),
    "no warm-up": ("for name in names * warm:", "for name in []:"),
    "no discarded call after another kind": ("discard=name != last", "discard=name == last"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_the_check_misses_each_safeguard_that_is_taken_out(name: str) -> None:
    changed = mutated(timing, MUTATIONS[name])["rounds"]
    with pytest.raises(AssertionError):
        check_exact(changed)


def made(calls: dict[str, Callable[[], str]], device: Device, least: int) -> str:
    """The calls that rounds make after the warm-up, each by its first letter."""
    rounds(calls, sync=device.sync, clock=device.clock, budget_s=0.0, least=least)
    return "".join(name[:2] for name in device.made[1 + 2 * len(calls) :])


def test_each_timed_call_follows_its_own_kind_and_rounds_turn_back() -> None:
    device = Device()
    expected = "on on tw tw th th" + "th tw tw on on" + "tw tw th th on on" + "on th th tw tw"
    assert made(device.calls(), device, least=4) == expected.replace(" ", "")


def test_of_two_calls_one_a_round_is_discarded_and_turns_alternate() -> None:
    device = Device()
    calls = {name: call for name, call in device.calls().items() if name != "three"}
    assert made(calls, device, least=5) == "onontwtw" + "twonon" + "ontwtw" + "twonon" + "ontwtw"


def test_what_another_process_takes_is_in_the_wall_clock_alone() -> None:
    device = Device()
    worked = 0.0

    def call(seconds: float) -> None:
        nonlocal worked
        worked += seconds
        device.now += 3 * seconds  # the core is another's for twice as long

    calls = {"forward": partial(call, 0.5), "gradient": partial(call, 1.0)}
    found = rounds(calls, sync=lambda _: None, clock=device.clock, cpu_clock=lambda: worked, budget_s=0.0, least=3)
    assert found == {"forward": ([1.5] * 3, [0.5] * 3), "gradient": ([3.0] * 3, [1.0] * 3)}


@pytest.mark.parametrize(("waited", "expected"), [(1.1, "wall"), (1.2, "cpu")])
def test_what_a_process_took_is_by_one_clock(waited: float, expected: str) -> None:
    """In two sets, of which the second alone was disturbed."""
    calm, cut = Times([1.0] * 2, [1.0] * 2), Times([10 * waited] * 2, [10.0] * 2)
    found = timing.by_one_clock({"a": calm}, {"a": calm, "b": cut})
    assert found == [{"a": calm.wall}, {"a": calm.wall, "b": getattr(cut, expected)}]


def test_the_processor_is_asked_of_the_cpu_alone() -> None:
    assert timing.processor_clock("cuda:0") is None


@given(st.integers(1, 9))
def test_every_name_stands_equally_often_at_every_place(count: int) -> None:
    names = range(count)
    places = Counter((place, name) for index in range(2 * count) for place, name in enumerate(order(names, index)))
    assert places == {(place, name): 2 for place in names for name in names}


@pytest.mark.parametrize(("budget_s", "expected"), [(0.0, 3), (20.0, 3), (56.0, 9), (56.5, 10), (1e9, 12)])
def test_rounds_stop_at_the_budget_between_least_and_most(budget_s: float, expected: int) -> None:
    device = Device()

    def call() -> None:
        device.now += 2.0  # three calls a round of two, and four in the first

    found = rounds({"a": call, "b": call}, sync=device.sync, clock=device.clock, budget_s=budget_s, least=3, most=12)
    assert [len(taken.wall) for taken in found.values()] == [expected, expected]


def test_no_calls_take_no_time() -> None:
    device = Device()
    assert rounds({}, sync=device.sync, clock=device.clock, budget_s=0.0) == {}


def test_a_block_is_the_mean_of_its_calls() -> None:
    device = Device()
    for _ in range(3):
        device.sync(device.call("two"))
    assert timing.block(partial(device.call, "two"), sync=device.sync, clock=device.clock, calls=4)[0] == SECONDS["two"]


def test_the_overhead_is_the_median_of_empty_timed_calls() -> None:
    device = Device()
    syncs: list[object] = []

    def sync(result: object) -> None:
        assert result is None
        syncs.append(result)
        device.now += 0.25 if len(syncs) > 10 else 4.0

    assert timing.overhead(sync, device.clock) == 0.25
