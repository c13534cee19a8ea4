"""Where a number was measured: the machine's kind and no owner, its GPUs by a stand-in for their driver, conditions."""

from __future__ import annotations

import getpass
import json
import os
import platform
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.cells import Cell
from bench.instruments import machine
from bench.instruments.machine import Watch, warnings
from bench.run import measure
from bench.subjects import build


def test_the_description_names_a_kind_of_machine_and_no_owner() -> None:
    found = machine.describe()
    assert set(found) == {"cpu", "cores", "memory_bytes", "system", "gpu"}
    assert found["cpu"] and found["cores"] >= 1 and found["memory_bytes"] > 0
    text = json.dumps(found)
    assert platform.node() not in text and str(Path.home()) not in text
    assert found["system"].startswith(platform.system()) and len(found["system"].split()) == 3
    assert getpass.getuser() not in found["system"]


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("AMD EPYC 9B14", "amd-epyc-9b14-2-cores"),
        ("Intel(R) Xeon(R) Platinum 8370C CPU @ 2.80GHz", "intel-xeon-platinum-8370c-2-cores"),
        ("", "2-cores"),
    ],
)
def test_the_name_is_the_processor_s(model: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert re.fullmatch("[a-z0-9-]+", machine.name()) and platform.node().lower() not in machine.name()
    monkeypatch.setattr(machine, "_cpu", lambda: model)
    monkeypatch.setattr(machine, "available_cores", lambda: [0, 1])
    assert machine.name() == name


def test_versions_are_read_without_importing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "DISTRIBUTIONS", ("pytest", "no-such-distribution"))
    found = machine.versions()
    assert found["python"] == platform.python_version() and found["pytest"] and found["no-such-distribution"] is None


ANSWERS = {
    "index": ["0", "1"],
    "name": ["NVIDIA Model 1"] * 2,
    "memory.total": ["143771"] * 2,
    "driver_version": ["580.1"] * 2,
    "clocks.sm": ["900", "[N/A]"],
    "clocks.max.sm": ["1980", "1980"],
    "temperature.gpu": ["40", "41"],
    "clocks_throttle_reasons.active": ["0x0000000000000001", "0x0000000000000048"],
}


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An ``nvidia-smi`` on the path that knows two GPUs."""
    script = tmp_path / "nvidia-smi"
    script.write_text(
        f"#!{sys.executable}\nimport sys\nanswers = {ANSWERS!r}\n"
        "flags = dict(flag.split('=', 1) for flag in sys.argv[1:])\n"
        "names = flags['--query-gpu'].split(',')\n"
        "if not set(names) <= set(answers): sys.exit(2)\n"
        "for n in [int(flags['--id'])] if '--id' in flags else [0, 1]:\n"
        "    print(', '.join(answers[name][n] for name in names))\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_without_a_driver_there_is_no_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine.visible_gpus() == []
    assert machine.gpu() is machine.gpu_driver() is machine.gpu_state("0") is None


def test_the_machine_is_described_by_kind_alone(driver: None) -> None:
    assert machine.gpu() == {
        "name": "NVIDIA Model 1",
        "memory_bytes": 143771 << 20,
        "count": 2,
    }
    assert machine.gpu_driver() == "580.1"


def test_a_choice_of_gpus_is_kept(driver: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.visible_gpus() == ["0", "1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert machine.visible_gpus() == ["1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert machine.visible_gpus() == []


def test_the_state_names_what_slowed_the_clock(driver: None) -> None:
    assert machine.gpu_state("0") == {
        "sm_mhz": 900,
        "sm_most_mhz": 1980,
        "temperature_c": 40,
        "slowed_by": [],
    }  # idle is not slow
    found = machine.gpu_state("1")
    assert found is not None and found["sm_mhz"] is None
    assert found["slowed_by"] == ["hardware slowdown", "hardware thermal slowdown"]


@pytest.mark.skipif(not machine.visible_gpus(), reason="there is no NVIDIA GPU here")
@pytest.mark.parametrize("method, options", [("unrolled", {}), ("ift", {"M": 10}), ("jfb", {})])
def test_torchs_real_peak_is_the_exact_model_and_workspace(
    method: str, options: dict[str, int], tmp_path: Path
) -> None:
    sizes = {"width": 64, "inputs": 64, "batch": 8192}
    job = build(Cell("torch", "tanh", method, sizes, {"K": 20, **options}, device="cuda:0"), tmp_path)
    job.check()
    found = job.exact()
    assert found["device_peak_bytes"] >= found["peak_bytes"]
    assert found["workspace_bytes"] >= 0


@pytest.mark.skipif(not machine.visible_gpus(), reason="there is no NVIDIA GPU here")
@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_worker_processes_measure_every_adjoint_on_the_gpu(framework: str, tmp_path: Path) -> None:
    sizes = {"width": 64, "inputs": 64, "batch": 8192}
    cells = [
        Cell(framework, "tanh", method, sizes, {"K": 20}, device="cuda", measures=("exact",))
        for method in ("unrolled", "ift", "jfb")
    ]
    rows = list(measure(cells, workers=1, path=tmp_path / "rows.jsonl", preset="test"))
    assert {row["status"] for row in rows} == {"ok"}, rows
    assert all(row["values"]["device_peak_bytes"] > 0 for row in rows)


CORES = os.cpu_count() or 1
FINE: dict[str, Any] = {"load": 0.5, "cpu_share": 1.0, "steal_share": 0.0, "slowest_mhz": 3000.0, "gpu": None}


def test_computing_all_the_time_has_the_whole_core(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10.0, 12.0])
    monkeypatch.setattr(machine.time, "perf_counter", lambda: next(clock))
    spent = iter([5.0, 6.5])
    monkeypatch.setattr(Watch, "_spent", lambda self: next(spent))
    stolen = iter([1.0, 1.2])
    monkeypatch.setattr(Watch, "_steal", lambda self: next(stolen))
    monkeypatch.setattr(machine, "available_cores", lambda: [0])
    with Watch() as watch:
        pass
    assert watch.found["cpu_share"] == pytest.approx(0.75)  # 1.5 of 2 s
    assert watch.found["steal_share"] == pytest.approx(0.1)  # 0.2 of 2 s on one core
    assert {"busy", "stolen"} <= set(watch.found["warnings"])


def test_real_conditions_have_real_numbers() -> None:
    with Watch() as watch:
        sum(range(100_000))
    assert watch.found["affinity"] == machine.available_cores()
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
