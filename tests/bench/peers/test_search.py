"""The search, with a made-up table of contenders on a tiny cell."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.failures import NotApplicable
from bench.peers import search
from bench.peers.cells import NETS, PRESETS, PeerCell
from bench.peers.contenders import Contender, Ladder
from bench.peers.search import FORWARD_STEPS as STEPS
from bench.peers.search import SHARE, ForwardSteps, forward_steps
from impls import oracles, problems

CELL = PRESETS["smoke"][0]


@given(st.integers(1, 40), st.integers(0, 45), st.integers(0, 45))
def test_the_first_rung_that_is_right_is_found_in_few_looks(count: int, least: int, guess: int) -> None:
    looked: list[int] = []

    def right(index: int) -> bool:
        looked.append(index)
        return index >= least

    assert search.first(right, count, guess) == (least if least < count else None)
    assert len(looked) == len(set(looked)) <= 2 * count.bit_length() and max(looked) < count
    if least < count and guess == least:
        assert looked == [least, least - 1][: least + 1]


def made_up(costs: dict[str, float]) -> Any:
    """A maker: ``gradient`` errs by factor × 0.5**M, and its options are one ladder a factor."""
    reference = oracles.reference(CELL.make())

    def gradient(contender: Contender, framework: str, cell: PeerCell, K: int, options: dict[str, Any]) -> Any:
        if contender.kind == "broken":
            raise MemoryError("it needs more memory than there is")
        if contender.kind == "absent":
            raise NotApplicable("absent is not installed.")
        import torch

        off = 1 + costs[options["way"]] * 0.5 ** options["M"]
        grads = {name: torch.tensor(off * value) for name, value in reference.items()}

        def fn(params: Any, batch: Any, rng: Any) -> Any:
            for _ in range(300 if options["way"] == "slow" else 1):
                torch.zeros(3) + 1
            return 0.0, grads

        return fn

    def options(contender: Contender, framework: str, cell: PeerCell) -> Any:
        return tuple(Ladder({"way": way}, "M", tuple(range(12))) for way in costs)

    return SimpleNamespace(gradient=gradient, options=options)


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """What the search finds of some kinds of contender, by kind."""

    def found(costs: dict[str, float], *kinds: str) -> Any:
        monkeypatch.setitem(sys.modules, "bench.peers.made_up", made_up(costs))
        table = [Contender(f"some {kind}", "ift", "made_up") for kind in kinds]
        monkeypatch.setattr(search, "contenders", lambda cell, framework: table)
        monkeypatch.setattr(search, "forward_steps", lambda problem, level: ForwardSteps(5, 8, 0.25))
        return {line.contender.split()[1]: line for line in search.search(CELL, "torch", "cpu", tmp_path)}

    return found


def test_the_cheapest_options_that_reach_the_level_are_taken(lines: Any) -> None:
    line = lines({"slow": 0.5, "fast": 1.0}, "good")["good"]
    assert (line.status, line.K, line.level) == ("ok", 5, CELL.level)
    assert line.options == {"way": "fast", "M": 7}  # 0.5**7 ≤ 1e-2 < 0.5**6
    assert line.error == pytest.approx(0.5**7, rel=1e-2)


def test_what_fails_is_kept_with_its_best_error_or_its_reason(lines: Any) -> None:
    found = lines({"far": 1e4}, "bad", "broken", "absent")
    best = 1e4 * 0.5**11
    assert found["bad"].status == "failed" and found["bad"].error == pytest.approx(best, rel=1e-2)
    assert found["bad"].reason == f"The best gradient error is {found['bad'].error}, not 0.01."
    assert (found["broken"].status, found["broken"].error) == ("failed", None)
    assert "it needs more memory than there is" in found["broken"].reason
    assert (found["absent"].status, found["absent"].reason) == ("n/a", "absent is not installed.")


def test_what_each_method_has_to_reach() -> None:
    steps = ForwardSteps(5, 8, 0.25)
    assert search.target(Contender("a ift", "ift"), 1e-2, steps) == (5, 1e-2)
    assert search.target(Contender("a unrolled", "unrolled"), 1e-2, steps) == (8, 1e-2)
    assert search.target(Contender("a jfb", "jfb"), 1e-2, steps) == (5, 0.26)
    assert search.target(Contender("stock", "forward_gradient"), NETS[0].level, None) == (None, 1e-2)


@pytest.mark.parametrize("level", [1e-2, 1e-6])
def test_forward_steps_are_the_least_that_leave_a_third(level: float) -> None:
    """Against a dense backward solve, for which the cell is small enough."""
    problem = problems.make("tanh", width=12, inputs=6, batch=3, gamma=0.6, kind="symmetric")
    found, reference = forward_steps(problem, level), oracles.flat(oracles.reference(problem))

    def off(method: str, K: int, **options: Any) -> float:
        tried = oracles.flat(oracles.gradient(problem, method, K=K, **options))
        return float(np.linalg.norm(tried - reference) / np.linalg.norm(reference))

    for K, method, options in (
        (found.implicit, "ift", {"linear_solver": "dense"}),
        (found.unrolled, "unrolled", {}),
    ):
        assert off(method, K, **options) <= SHARE * level < off(method, STEPS[STEPS.index(K) - 1], **options)
    assert found.jfb_error == pytest.approx(off("jfb", found.implicit))


def test_steps_that_are_not_enough_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.peers.search.FORWARD_STEPS", (1, 2))
    problem = problems.make("tanh", width=6, batch=2, gamma=0.9)
    with pytest.raises(ValueError, match=r"^2 forward steps do not bring the gradient within a third of 1e-06: take a"):
        forward_steps(problem, 1e-6)
