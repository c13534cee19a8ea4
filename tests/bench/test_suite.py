"""The asv suite: what it tracks, what asv makes of it, and its configuration."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import VERSION, suite
from bench.instruments import machine
from bench.presets import PRESETS
from bench.tracked import Found

ROOT = Path(suite.__file__).resolve().parents[1]
CLASSES: list[Any] = [
    one for name, one in vars(suite).items() if isinstance(one, type) and name.startswith(("Torch", "Jax"))
]


SAMPLED = {"track_R": [2.0, 2.5], "track_gradient_s": [4.0, 6.0], "track_forward_s": [2.0, 2.4]}
PLAIN = ("compile_s", "peak_bytes", "held_bytes", "flops", "gradient_error")
TRACKED = {*SAMPLED, *(f"track_{name}" for name in PLAIN)}


def one(status: str = "ok", **more: object) -> Found:
    numbers = {"status": status, "reason": "why", "values": {name: 7 for name in PLAIN}}
    lists = {"ratios": [2.0, 2.5], "forwards": [2.0, 2.4], "gradients": [4.0, 6.0]}
    return {"cell": {**numbers, **lists, **more}}


def test_times_are_tracked_with_a_sample_a_worker_and_exact_numbers_are_plain() -> None:
    bench = suite.JaxTanh()
    for name, samples in SAMPLED.items():
        assert getattr(bench, name)(one(), "cell") == {"samples": samples, "number": 1}
        assert math.isnan(getattr(bench, name)(one(ratios=[], forwards=[], gradients=[]), "cell"))
    for name in PLAIN:
        track = getattr(bench, f"track_{name}")
        assert track(one(), "cell") == 7 and type(track(one(), "cell")) is int
        assert math.isnan(track(one(values={}), "cell")) and math.isnan(track(one(values={name: None}), "cell"))


def test_not_applicable_is_nan_and_a_failure_raises_its_reason() -> None:
    bench = suite.TorchTanh()
    for track in (getattr(bench, name) for name in TRACKED):
        assert math.isnan(track(one("n/a"), "cell"))
        with pytest.raises(RuntimeError, match=r"^oom: cell: why$"):
            track(one("oom"), "cell")


def test_each_class_has_its_cells_and_a_setup_cache_on_a_line_of_its_own() -> None:
    ids = [name for klass in CLASSES for name in klass.params]
    assert sorted(ids) == sorted(cell.id for cell in PRESETS[suite.PRESET].cells)
    lines = {klass.setup_cache.__code__.co_firstlineno for klass in CLASSES}
    assert len(lines) == len(CLASSES) == 8
    assert all(klass.setup_cache.timeout == suite.TIMEOUT_S for klass in CLASSES)
    assert all(klass.version.startswith(VERSION) for klass in CLASSES)


def test_a_preset_that_asv_cannot_track_is_refused_in_one_sentence() -> None:
    for name, words in (("gpu", "ValueError: asv cannot track gpu, which has no cell of"), ("x", "names no preset")):
        command = [sys.executable, "-c", "import bench.suite"]
        found = subprocess.run(
            command, cwd=ROOT, env={**os.environ, "GRADRATIO_PRESET": name}, capture_output=True, text=True
        )
        assert found.returncode == 1 and words in found.stderr.splitlines()[-1]


def test_every_key_of_the_configuration_is_one_that_asv_knows() -> None:
    config = pytest.importorskip("asv.config")
    given = json.loads((ROOT / "asv.conf.json").read_text(encoding="utf-8"))
    known = set(vars(config.Config())) | {"version"}  # the format's version, which the loader itself takes
    assert set(given) <= known
    assert (given["project"], given["repo"], given["benchmark_dir"], given["branches"]) == (
        "gradratio",
        ".",
        "bench",
        ["HEAD"],  # in every clone, whatever its branch is called
    )


def test_the_versions_of_asv_s_environment_are_those_of_the_constraints() -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    # A name and a version, without a marker: they hold on every Python.
    pinned = dict(line.split("==") for line in text.splitlines() if not line.startswith("#"))
    assert not re.search(r"[;\s]", "".join(pinned.values()))
    given = json.loads((ROOT / "asv.conf.json").read_text(encoding="utf-8"))["matrix"]["req"]
    assert set(machine.DISTRIBUTIONS) <= {name for name, versions in given.items() if versions != [""]}
    assert all(versions in ([""], [pinned[name]]) for name, versions in given.items())


def test_each_track_has_one_threshold() -> None:
    given = json.loads((ROOT / "asv.conf.json").read_text(encoding="utf-8"))["regressions_thresholds"]
    cell = suite.JaxFpn.params[0]
    matched = {
        name: [regex for regex in given if re.match(regex, f"suite.JaxFpn.{name}('{cell}')@main")] for name in TRACKED
    }
    assert all(len(found) == 1 for found in matched.values())
    assert {regex for found in matched.values() for regex in found} == set(given)


def test_the_documentation_has_each_track_with_its_unit_and_threshold() -> None:
    given = json.loads((ROOT / "asv.conf.json").read_text(encoding="utf-8"))["regressions_thresholds"]
    lines = (ROOT / "docs" / "history.md").read_text(encoding="utf-8").splitlines()
    told = {}
    for line in (line for line in lines if line.startswith("| `track_")):
        names, unit, _, step = (part.strip() for part in line.strip("|").split("|"))
        told |= {
            name: (unit, 0.0 if step == "any" else float(step.rstrip(" %")) / 100) for name in names.split("`")[1::2]
        }
    assert told == {
        name: (
            getattr(suite.JaxFpn, name).unit,
            *(step for regex, step in given.items() if re.match(regex, f"suite.JaxFpn.{name}(")),
        )
        for name in TRACKED
    }


def test_asv_discovers_exactly_the_suite(tmp_path: Path) -> None:
    pytest.importorskip("asv_runner")
    listing = tmp_path / "found.json"
    code = "import sys; from asv_runner.discovery import _discover; _discover(sys.argv[1:])"
    command = [sys.executable, "-c", code, str(ROOT / "bench"), str(listing)]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    found = {one["name"]: one for one in json.loads(listing.read_text())}
    expected = {f"suite.{klass.__name__}.{name}" for klass in CLASSES for name in TRACKED}
    assert set(found) == expected
    assert len({one["setup_cache_key"] for one in found.values()}) == len(CLASSES)
    assert all(one["setup_cache_timeout"] == suite.TIMEOUT_S and one["version"] == "1.1" for one in found.values())
    assert all(one["pretty_name"] and one["unit"] != "unit" for one in found.values())
    assert all(one["type"] == "track" and one["params"] and one["param_names"] == ["cell"] for one in found.values())
