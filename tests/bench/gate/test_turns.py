"""Turns: their order, their number, and what a side that fails comes to."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

import pytest

from bench.cells import Cell
from bench.gate.turns import BLOCK_S, LEAST, MOST, Failed, Prepared, take_turns
from bench.processes import Lost
from bench.rows import Samples

CELL = Cell("torch", "tanh", "jfb")


class Scripted:
    """Answers as a worker process would, and notes the turns that it was asked for in a common list."""

    def __init__(self, name: str, turns: list[tuple[str, str, int]], answers: Mapping[str, Any] | None = None) -> None:
        self._name, self._turns, self._answers = name, turns, answers or {}

    def ask(self, message: Mapping[str, Any], timeout_s: float) -> dict[str, Any]:
        kind = message["live"]
        if kind in self._answers:
            if isinstance(self._answers[kind], Exception):
                raise self._answers[kind]
            return self._answers[kind]
        if kind == "prepare":
            return {"status": "ok", "reason": "", "forward_s": 1e-3, "gradient_s": 2.5e-3}
        self._turns.append((self._name, message["turn"]["which"], message["turn"]["calls"]))
        return {"status": "ok", "reason": "", "seconds": float(len(self._turns))}


def taken(clock: Any, **answers: Mapping[str, Any]) -> tuple[list[tuple[str, str, int]], dict[str, Samples]]:
    turns: list[tuple[str, str, int]] = []
    workers: Any = {name: Scripted(name, turns, answers.get(name)) for name in ("base", "head")}
    return turns, take_turns(workers, CELL, scratch="", timeout_s=1.0, budget_s=5.0, clock=clock)


def stopped() -> float:
    return 0.0


def test_each_side_follows_each_turn_equally_often() -> None:
    turns, samples = taken(stopped)
    assert len(turns) == 4 * MOST
    assert all(len(side.forward_s) == len(side.gradient_s) == MOST for side in samples.values())
    mirror = {"base": "head", "head": "base"}
    two = [(name, which) for name, which, _ in turns[:8]]
    assert [which for _, which in two] == ["forward"] * 2 + ["gradient"] * 2 + ["forward"] * 2 + ["gradient"] * 2
    assert [(mirror[name], which) for name, which in two] == two[4:] + two[:4]
    follows = [(a[0], a[1], b[0], b[1]) for a, b in itertools.pairwise(two * 2)]
    assert {(mirror[a], b, mirror[c], d) for a, b, c, d in follows} == set(follows)


def test_a_block_is_long_enough_and_as_many_calls_on_both_sides() -> None:
    turns, _ = taken(stopped)
    assert {(which, calls) for _, which, calls in turns} == {("forward", 4), ("gradient", math.ceil(BLOCK_S / 2.5e-3))}


def test_rounds_end_with_the_budget_but_not_before_the_least() -> None:
    for step, rounds in ((10.0, LEAST), (0.25, 20)):
        ticks = itertools.count()
        turns, _ = taken(lambda ticks=ticks, step=step: next(ticks) * step)
        # The clock is looked at from the least number of rounds on.
        expected = rounds if step > 1 else LEAST + int(5.0 / step) - 1
        assert len(turns) == 4 * expected


@pytest.mark.parametrize("kind", ["prepare", "turn"])
@pytest.mark.parametrize(
    ("answer", "status"),
    [({"status": "oom", "reason": "too much"}, "oom"), (Lost("timeout", "no answer within 1 s"), "timeout")],
)
def test_a_side_that_does_not_come_through_is_named(kind: str, answer: Any, status: str) -> None:
    with pytest.raises(Failed) as raised:
        taken(stopped, head={kind: answer})
    assert (raised.value.side, raised.value.status) == ("head", status)


def test_a_live_cell_answers_a_mistake_with_its_reason(tmp_path: Any) -> None:
    live = Prepared()
    cell = Cell("torch", "tanh", "jfb", {"width": 4, "batch": 2, "inputs": 3}, {"K": 3})
    assert live({"live": "turn", "turn": {"which": "forward"}})["status"] == "failed"
    ready = live({"live": "prepare", "cell": cell.as_json(), "scratch": str(tmp_path)})
    assert ready["status"] == "ok" and ready["forward_s"] > 0 and ready["gradient_s"] > 0
    assert live({"live": "turn", "turn": {"which": "gradient", "calls": 2}})["seconds"] > 0
    wrong = Cell("torch", "tanh", "jfb", {"widht": 4}, {"K": 3})
    refused = live({"live": "prepare", "cell": wrong.as_json(), "scratch": str(tmp_path)})
    assert refused["status"] == "failed" and "widht" in refused["reason"]
