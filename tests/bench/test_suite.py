"""The asv suite: what it tracks, what asv makes of it, and its configuration."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import VERSION, suite
from bench.grid import cells

ROOT = Path(suite.__file__).resolve().parents[1]
CLASSES: list[Any] = [
    one for name, one in vars(suite).items() if isinstance(one, type) and name.startswith(("Torch", "Jax"))
]


def one(status: str = "ok", **more: object) -> suite.Found:
    numbers = {"status": status, "reason": "why", "ratios": [2.0, 2.5], "values": {"peak_bytes": 1245192}}
    return {"cell": {**numbers, **more}}


def test_the_ratio_is_tracked_with_a_sample_a_worker_and_exact_numbers_are_plain() -> None:
    bench = suite.JaxTanh()
    assert bench.track_R(one(), "cell") == {"samples": [2.0, 2.5], "number": 1}
    assert bench.track_peak_bytes(one(), "cell") == 1245192
    assert math.isnan(bench.track_gradient_error(one(), "cell"))
    assert math.isnan(bench.track_compile_s(one(values={"compile_s": None}), "cell"))


def test_not_applicable_is_nan_and_a_failure_raises_its_reason() -> None:
    bench = suite.TorchTanh()
    for track in (bench.track_R, bench.track_peak_bytes, bench.track_gradient_error):
        assert math.isnan(track(one("n/a"), "cell"))
        with pytest.raises(RuntimeError, match=r"^oom: cell: why$"):
            track(one("oom"), "cell")


def test_each_class_has_its_cells_and_a_setup_cache_on_a_line_of_its_own() -> None:
    ids = [name for klass in CLASSES for name in klass.params]
    assert sorted(ids) == sorted(cell.id for cell in cells(suite.PRESET))
    lines = {klass.setup_cache.__code__.co_firstlineno for klass in CLASSES}
    assert len(lines) == len(CLASSES) == 8
    assert all(klass.setup_cache.timeout == suite.TIMEOUT_S for klass in CLASSES)
    assert all(klass.version.startswith(VERSION) for klass in CLASSES)


def test_the_cache_is_what_measuring_came_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import functools

    from bench import measure as core
    from tests.bench.harness import FAKE

    monkeypatch.setattr(core, "measure", functools.partial(core.measure, script=FAKE))
    monkeypatch.setenv("FAKE_WORKER", json.dumps({"log": str(tmp_path / "log"), "jfb": "failed"}))
    found = suite.JaxFpn().setup_cache()
    assert json.loads(json.dumps(found)) == found and list(found) == suite.JaxFpn.params
    assert {(one["status"], tuple(one["ratios"])) for one in found.values()} == {
        ("ok", (2.0, 2.0)),
        ("failed", ()),
    }


def test_every_key_of_the_configuration_is_one_that_asv_knows() -> None:
    config = pytest.importorskip("asv.config")
    given = json.loads((ROOT / "asv.conf.json").read_text(encoding="utf-8"))
    known = set(vars(config.Config())) | {"version"}  # the format's version, which the loader itself takes
    assert set(given) <= known
    assert (given["project"], given["repo"], given["benchmark_dir"], given["branches"]) == (
        "gradratio",
        ".",
        "bench",
        ["main"],
    )


def test_asv_discovers_exactly_the_suite(tmp_path: Path) -> None:
    pytest.importorskip("asv_runner")
    listing = tmp_path / "found.json"
    code = "import sys; from asv_runner.discovery import _discover; _discover(sys.argv[1:])"
    command = [sys.executable, "-c", code, str(ROOT / "bench"), str(listing)]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    found = {one["name"]: one for one in json.loads(listing.read_text())}
    tracked = {"track_R", "track_peak_bytes", "track_gradient_error"}
    expected = {f"suite.{klass.__name__}.{name}" for klass in CLASSES for name in tracked}
    expected |= {f"suite.{klass.__name__}.track_compile_s" for klass in CLASSES if klass.__name__.startswith("Jax")}
    assert set(found) == expected
    assert len({one["setup_cache_key"] for one in found.values()}) == len(CLASSES)
    assert all(one["setup_cache_timeout"] == suite.TIMEOUT_S and one["version"] == "1.1" for one in found.values())
    assert all(one["pretty_name"] and one["unit"] != "unit" for one in found.values())
