"""Real peaks of a device, with stand-ins for the device's own counters; refusal where a framework sees none."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench.build import NotApplicable, build
from bench.cell import Cell
from bench.frameworks.jax_jit import Call
from bench.instruments import torch_device


class Counters:
    """Bytes that a device has in use and the most it ever had."""

    def __init__(self) -> None:
        self.now = self.most = 0

    def take(self, bytes: int, keep: int = 0) -> None:
        """Allocate for a while, and keep some of it for good."""
        self.most = max(self.most, self.now + bytes)
        self.now += keep

    def stats(self) -> dict[str, int]:
        return {
            "requested_bytes.all.current": self.now,
            "requested_bytes.all.peak": self.most,
            "bytes_in_use": self.now,
            "peak_bytes_in_use": self.most,
        }


def test_torch_tells_the_peak_of_one_call_and_what_libraries_keep(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = importlib.import_module("torch")
    device = Counters()
    device.now = 100  # parameters

    def reset() -> None:
        device.most = device.now

    for name, stand_in in (("memory_stats", device.stats), ("reset_peak_memory_stats", reset), ("synchronize", int)):
        monkeypatch.setattr(torch.cuda, name, stand_in)
    calls = iter([(5000, 32), (700, 0)])  # the first call sets up a workspace of 32 bytes
    found = torch_device.device_bytes(lambda: device.take(*next(calls)))
    assert (found.peak, found.retained) == (700, 32)


def test_jax_tells_the_peak_of_a_first_call_that_rises_above_all_before() -> None:
    device = Counters()
    device.take(100, keep=100)
    stats = SimpleNamespace(memory_stats=device.stats)

    def call(bytes: int) -> Call:
        return Call(lambda: device.take(bytes), lambda: None, (), lambda result: result, stats)

    forward, gradient, smaller = call(50), call(300), call(200)
    for one in (forward, gradient, smaller):
        one()
        one()
    assert (forward.device_peak, gradient.device_peak, smaller.device_peak) == (50, 300, None)


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_a_cell_on_a_gpu_is_not_applicable_where_the_framework_sees_none(framework: str, tmp_path: Path) -> None:
    module: Any = importlib.import_module(framework)
    there = module.cuda.is_available() if framework == "torch" else module.default_backend() == "gpu"
    if there:
        pytest.skip("there is a GPU here")
    with pytest.raises(NotApplicable, match="sees no CUDA device: install"):
        build(Cell(framework, "tanh", "jfb", device="cuda:0"), tmp_path)


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_shapes_alone_give_the_bytes_and_flops_of_real_arrays(framework: str, tmp_path: Path) -> None:
    sizes = {"width": 16, "inputs": 8, "batch": 32}
    real, shapes = (
        build(Cell(framework, "tanh", "ift", sizes, {"K": 5, "M": 4}, device=device), tmp_path).exact()
        for device in ("cpu", "meta")
    )
    assert shapes.items() <= real.items()
    assert shapes["peak_bytes"] > 0 and "gradient_error" not in shapes


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_tangents_cannot_be_drawn_from_shapes(framework: str, tmp_path: Path) -> None:
    with pytest.raises(NotApplicable, match="tangents=given"):
        build(Cell(framework, "mlp", "forward_gradient", gradient="forward_gradient", device="meta"), tmp_path)
