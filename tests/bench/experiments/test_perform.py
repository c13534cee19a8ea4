"""One part in a worker process: records, or a status with its reason."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from bench.experiments.catalog import Place
from bench.plan import Part
from bench.worker import perform
from tests.bench.experiments import fake_experiment


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bench.experiments.descent", fake_experiment)


def performed(**settings: Any) -> dict[str, Any]:
    return perform(Part("descent", "numpy", settings), Place(Path("scratch"), Path("digits")))


def test_records_and_conditions() -> None:
    found = performed(seed=0)
    assert found["status"] == "ok" and found["records"][1] == {"iteration": 1, "loss": 0.5, "where": "digits"}
    assert found["conditions"]["load"] is None or found["conditions"]["load"] >= 0


def test_whatever_goes_wrong_becomes_a_status() -> None:
    assert (performed(seed=1)["status"], performed(seed=1)["records"]) == ("oom", [])
    assert performed()["status"] == "failed" and "seed" in performed()["reason"]


def test_a_record_is_flat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fake_experiment.Descent, "perform", lambda self, part, place: [{"losses": [1.0, 2.0]}])
    found = performed(seed=0)
    assert found["status"] == "failed" and "one number or text a field" in found["reason"]


def test_a_part_survives_the_way_to_its_worker() -> None:
    part = Part("descent", "numpy", {"seed": 2, "kind": "dense"}, worker=3, dtype="float64")
    assert Part(**part.as_json()) == part
    assert part.id == "descent/numpy/cpu/float64/(kind=dense,seed=2)"
