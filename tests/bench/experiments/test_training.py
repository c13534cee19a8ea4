"""Baydin's training runs: the decay of the rate, one grid for both methods, and the records of the smoke preset."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import pytest

from bench.experiments.catalog import WORKERS, Place
from bench.experiments.fit import Trainer
from bench.experiments.training import Training

PLACE = Place(Path("unused"))


def test_smoke_runs_start_equal_and_end_apart() -> None:
    runs = [p for p in Training().parts("smoke", data=False) if p.framework == "torch" and p.settings["what"] == "run"]
    found = {str(part.settings["method"]): Training().perform(part, PLACE) for part in runs}
    backprop, forward = found["backprop"], found["forward_gradient"]
    assert backprop[0] == forward[0] and backprop[-1] != forward[-1]
    assert backprop[-1]["loss"] < backprop[0]["loss"]
    for records in found.values():
        assert records[0]["iteration"] == 0 and records[-1]["iteration"] == 5
        for record in records:
            assert set(record) == {"iteration", "loss", "test_error", "failed", "unscored", "diverged"}
            assert 0 <= record["test_error"] <= 1 and record["unscored"] == record["diverged"] == 0


def test_smoke_times_are_of_both_methods() -> None:
    (part,) = (
        p for p in Training().parts("smoke", data=False) if p.settings["what"] == "time" and p.framework == "torch"
    )
    assert [record["method"] for record in Training().perform(part, PLACE)] == ["backprop", "forward_gradient"]


def test_the_rate_decays_as_published(monkeypatch: pytest.MonkeyPatch) -> None:
    rates: list[float] = []

    def fit(self: Trainer, **given: object) -> list[dict[str, object]]:
        rates.extend(given["rate"](i) for i in (0, 1000, 20_000))  # type: ignore[operator]
        return []

    monkeypatch.setattr(Trainer, "fit", fit)
    part = next(p for p in Training().parts("smoke", data=False) if p.settings["what"] == "run")
    Training().perform(part, PLACE)
    assert rates == pytest.approx([0.01, 0.01 * math.exp(-0.1), 0.01 * math.exp(-2)], rel=1e-12)


@pytest.mark.parametrize(
    ("size", "data", "name"), [("quick", True, "digits"), ("paper", False, "mnist5k"), ("paper", True, "idx")]
)
def test_both_methods_get_the_same_rates_seeds_and_iterations(size: str, data: bool, name: str) -> None:
    parts = Training().parts(size, data)
    runs = [part for part in parts if part.settings["what"] == "run"]
    alike = Counter(str({**part.settings, "method": "", "framework": ""}) for part in runs)
    assert set(alike.values()) == {4}  # two methods, two frameworks
    assert {part.settings["data"] for part in parts} == {name}
    assert {part.settings["seed"] for part in runs} >= {0, 1, 2}
    assert min(int(part.settings["iterations"]) for part in runs) >= 2000
    shared = {part.settings["rate"] for part in runs if part.settings["protocol"] == "shared"}
    assert shared == {2e-5, 2e-4}
    times = Counter(part.framework for part in parts if part.settings["what"] == "time")
    assert times == {"torch": WORKERS, "jax": WORKERS} and len({(part.id, part.worker) for part in parts}) == len(parts)
    assert not Training().cells(size)
