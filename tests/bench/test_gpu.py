"""What is asked of a GPU's driver, answered by a stand-in; and the GPU itself where there is one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench.build import build
from bench.cell import Cell
from bench.instruments import gpu
from bench.measure import measure

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
    assert (gpu.visible(), gpu.describe(), gpu.driver(), gpu.state("0")) == ([], None, None, None)


def test_the_machine_is_described_by_kind_alone(driver: None) -> None:
    assert gpu.describe() == {
        "name": "NVIDIA Model 1",
        "memory_bytes": 143771 << 20,
        "count": 2,
    }
    assert gpu.driver() == "580.1"


def test_a_choice_of_gpus_is_kept(driver: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert gpu.visible() == ["0", "1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert gpu.visible() == ["1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert gpu.visible() == []


def test_the_state_names_what_slowed_the_clock(driver: None) -> None:
    assert gpu.state("0") == {
        "sm_mhz": 900,
        "sm_most_mhz": 1980,
        "temperature_c": 40,
        "slowed_by": [],
    }  # idle is not slow
    found = gpu.state("1")
    assert found is not None and found["sm_mhz"] is None
    assert found["slowed_by"] == ["hardware slowdown", "hardware thermal slowdown"]


@pytest.mark.skipif(not gpu.visible(), reason="there is no NVIDIA GPU here")
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


@pytest.mark.skipif(not gpu.visible(), reason="there is no NVIDIA GPU here")
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
