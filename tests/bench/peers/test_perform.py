"""All contenders of the smallest cell, as a worker process performs it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.experiments.catalog import Place
from bench.failures import NotApplicable
from bench.peers import perform, settings
from bench.peers.cells import NETS, PRESETS
from bench.peers.contenders import BASES, FIXED_POINT, Contender, contenders, library
from bench.peers.perform import off_law, table
from bench.plan import Part
from bench.rows import PartRow
from bench.worker import perform as answered

CELL = PRESETS["smoke"][0]


SOME = {
    "torch": ["ours ift", "ours jfb", "ours unrolled", *(one.name for one in FIXED_POINT["torch"] if one.package)],
    "jax": ["ours ift", "ours jfb", "ours unrolled", "jaxopt ift normal_cg", "optimistix unrolled"],
}
"""In jax few, since each is compiled."""


@pytest.fixture(scope="module", params=SOME)
def answer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    part = Part("peers", request.param, {"cell": CELL.name})
    kept = [one for one in contenders(CELL, request.param) if one.name in SOME[request.param]]
    with pytest.MonkeyPatch.context() as patch, jax.enable_x64(False):  # as in a worker: other tests switch it on
        patch.setattr(perform, "contenders", lambda cell, framework: kept)
        yield answered(part, Place(tmp_path_factory.mktemp("scratch"))) | {"framework": request.param}


def test_ours_reach_the_level_and_are_timed(answer: dict[str, Any]) -> None:
    assert answer["status"] == "ok", answer["reason"]
    records = {record["contender"]: record for record in answer["records"]}
    assert list(records) == SOME[answer["framework"]]
    for name in ("ours ift", "ours jfb", "ours unrolled"):
        record = records[name]
        assert (record["status"], record["reason"], record["ratio"]) == ("ok", "", 1.0)
        assert 0 < record["error"] <= record["level"] and record["package"] is None
        assert record["forward_seconds"] > 0 < record["seconds"] and record["K"] >= 3
    assert 1 < records["ours jfb"]["flop_ratio"] < records["ours unrolled"]["flop_ratio"]


def test_a_peer_is_timed_where_it_is_installed_and_else_says_how_to_get_it(answer: dict[str, Any]) -> None:
    for record in answer["records"]:
        if record["contender"].startswith("ours"):
            continue
        line = settings.of_cell(CELL, answer["framework"])[record["contender"]]
        assert record["status"] == (line.status if record["package"] else "n/a"), record["reason"]
        if record["status"] == "n/a":
            assert record["reason"].endswith(" is not installed: pip install 'gradratio[peers]'")
        assert (record["seconds"] is None) == (record["ratio"] is None) == (record["status"] != "ok")
        assert record["status"] == "ok" or record["reason"]


def test_the_table_has_a_line_a_contender(answer: dict[str, Any]) -> None:
    about = {
        "run": "one",
        "cell": CELL.name,
        "experiment": "peers",
        "settings": {},
        "device": "cpu",
        "dtype": "float32",
    }
    found = {name: answer[name] for name in ("framework", "status", "reason", "records")}
    rows = [PartRow(**about, **found, worker=worker) for worker in range(2)]
    text = table(rows)
    assert text.startswith(answer["framework"])
    (line,) = [line for line in text.splitlines() if line.startswith("ours ift ")]
    assert line.split()[2:5] == ["1.00", "1.00", "[1.00,"] and line.split()[-3:] == ["1", "0", "0"]


def line_of(**changes: Any) -> settings.Setting:
    facts = {"cell": CELL.name, "framework": "torch", "contender": "ours jfb", "method": "jfb", "level": 1e-9}
    return settings.Setting(**{**facts, "status": "ok", "K": 5, **changes})


def test_who_misses_the_level_or_has_no_settings_is_not_timed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lines = {
        "ours jfb": line_of(),
        "ours ift": line_of(contender="ours ift", method="ift", status="failed", reason="Why.", error=0.5),
    }
    monkeypatch.setattr(perform, "of_cell", lambda cell, framework: lines)
    found = {
        one["contender"]: one
        for one in perform.Peers().perform(Part("peers", "torch", {"cell": CELL.name}), Place(tmp_path))
    }
    assert {one["status"] for one in found.values()} == {"failed"}
    assert all(one["seconds"] is None and one["ratio"] is None for one in found.values())
    assert found["ours jfb"]["reason"].startswith("The gradient error is 0.") and found["ours jfb"]["error"] > 1e-3
    assert (found["ours ift"]["reason"], found["ours ift"]["error"]) == ("Why.", 0.5)
    assert "has no line for it" in found["ours unrolled"]["reason"]


def test_a_library_that_is_missing_is_one_sentence() -> None:
    with pytest.raises(NotApplicable, match=r"^no_such_peer is not installed: pip install 'gradratio\[peers\]'$"):
        library("no_such_peer")
    assert Contender("no_such_peer ift", "ift", package="no_such_peer").version is None


def test_an_estimate_is_told_from_another_vector_by_its_law() -> None:
    rng = np.random.default_rng(0)
    true = rng.normal(size=2000)
    signs, gaussian = rng.choice([-1.0, 1.0], 2000), rng.normal(size=2000)
    assert off_law((true @ signs) * signs, true) < 1e-12
    estimate = (true @ gaussian) * gaussian
    assert (
        off_law(estimate, true) == pytest.approx(abs(2000 / (gaussian @ gaussian) - 1))
        and off_law(estimate, true) < 0.2
    )
    assert off_law(true, true) > 1000 and off_law(2 * estimate, true) > 0.3 and off_law(0 * true, true) == float("inf")


class Clockwork:
    """Calls that take a time of their own, on a clock that only they move."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, costs: dict[str, float]) -> None:
        self.now, self.made = 0.0, dict.fromkeys(costs, 0)
        self.calls = {name: lambda name=name, cost=cost: self._spend(name, cost) for name, cost in costs.items()}
        monkeypatch.setattr(perform.time, "perf_counter", lambda: self.now)
        real, named = perform.rounds, {"clock": lambda: self.now, "cpu_clock": None}
        monkeypatch.setattr(perform, "rounds", lambda *args, **given: real(*args, **given | named))

    def _spend(self, name: str, cost: float) -> None:
        self.now += cost
        self.made[name] += 1


def test_a_slow_contender_is_timed_apart_beside_its_base(monkeypatch: pytest.MonkeyPatch) -> None:
    work = Clockwork(monkeypatch, {"ours ift": 0.25, "quick": 0.5, "slow": 2.0, "forward 5": 0.125})
    calls = {name: call for name, call in work.calls.items() if name != "forward 5"}
    forwards = {"forward 5": work.calls["forward 5"]}
    base_of = dict.fromkeys(calls, BASES["ift"])
    found = perform.side_by_side(calls, base_of, sync=lambda result: result, device="cpu", forwards=forwards)
    assert (
        set(found["quick"][0]) == {"ours ift", "quick", "forward 5"}
        and len(found["quick"][0]["quick"]) == perform.LEAST
    )
    assert found["slow"][0] == {"ours ift": [0.25] * 2, "slow": [2.0] * 2} and found["slow"][1] == "ours ift"
    assert found["forward 5"][0]["forward 5"] == [0.125] * perform.LEAST
    assert work.made["slow"] == 1 + 2 + 2 + perform.SLOW_LEAST - 1  # once, a warm-up, a first pair, one call more


@given(st.integers(1, 3))
def test_parts_are_one_a_cell_framework_and_worker(workers: int) -> None:
    found = perform.parts_of(NETS, range(workers))
    assert len({(part.id, part.worker) for part in found}) == len(found) == len(NETS) * 2 * workers
    assert {part.dtype for part in perform.Peers().parts("quick", False)} == {"float32", "float64"}
    assert perform.Peers().cells("quick") == [] and perform.Peers().memory_bytes("quick") > 1e9


def test_every_contender_of_a_net_is_ours_or_stock() -> None:
    assert {one.package for one in contenders(NETS[0], "jax")} == {None}
    assert {one.package for group in FIXED_POINT.values() for one in group} == {
        None,
        "torchdeq",
        "jaxopt",
        "optimistix",
    }
