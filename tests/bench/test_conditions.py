"""The conditions of a visit: what is recorded, and which of them a reader is warned of."""

from __future__ import annotations

import os
from typing import Any

import pytest

from bench.instruments import conditions
from bench.instruments.conditions import Watch, warnings

CORES = os.cpu_count() or 1
FINE: dict[str, Any] = {"load": 0.5, "cpu_share": 1.0, "steal_share": 0.0, "slowest_mhz": 3000.0, "gpu": None}


def test_computing_all_the_time_has_the_whole_core(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10.0, 12.0])
    monkeypatch.setattr(conditions.time, "perf_counter", lambda: next(clock))
    spent = iter([5.0, 6.5])
    monkeypatch.setattr(Watch, "_spent", lambda self: next(spent))
    stolen = iter([1.0, 1.2])
    monkeypatch.setattr(Watch, "_steal", lambda self: next(stolen))
    monkeypatch.setattr(conditions.machine, "available_cores", lambda: [0])
    with Watch() as watch:
        pass
    assert watch.found["cpu_share"] == pytest.approx(0.75)  # 1.5 of 2 s
    assert watch.found["steal_share"] == pytest.approx(0.1)  # 0.2 of 2 s on one core
    assert {"busy", "stolen"} <= set(watch.found["warnings"])


def test_real_conditions_have_real_numbers() -> None:
    with Watch() as watch:
        sum(range(100_000))
    assert watch.found["affinity"] == conditions.machine.available_cores()
    assert watch.found["cpu_share"] >= 0 and watch.found["steal_share"] >= 0
    assert watch.found["gpu"] is None


@pytest.mark.parametrize(
    ("changed", "most_mhz", "expected"),
    [
        ({}, 3000.0, []),
        ({}, None, []),
        ({"load": CORES + 0.9}, 3000.0, []),  # the measuring processes themselves
        ({"load": CORES + 1.1}, 3000.0, ["busy"]),
        ({"cpu_share": 0.89}, 3000.0, ["busy"]),
        ({"steal_share": 0.06}, 3000.0, ["stolen"]),
        ({"slowest_mhz": 2200.0}, 3000.0, ["throttled"]),
        ({"load": None, "cpu_share": None, "steal_share": None, "slowest_mhz": None}, None, []),
        ({"cpu_share": 0.1, "gpu": {"slowed_by": []}}, 3000.0, []),
        ({"cpu_share": 0.1, "gpu": None}, 3000.0, []),  # the process sleeps while the GPU works
        ({"gpu": {"slowed_by": ["power brake"]}}, 3000.0, ["throttled"]),
    ],
)
def test_warnings(changed: dict[str, Any], most_mhz: float | None, expected: list[str]) -> None:
    assert warnings(FINE | changed, most_mhz, on_gpu="gpu" in changed) == expected
