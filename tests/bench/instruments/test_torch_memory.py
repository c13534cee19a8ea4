"""The allocator as referee of live storages: each method by both, every byte between explained; a GPU by stand-ins."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.cells import Cell
from bench.failures import NotApplicable
from bench.frameworks.jax_jit import Call
from bench.instruments import torch_memory
from bench.instruments.torch_memory import live_bytes, peak, peak_bytes
from bench.subjects import build
from impls import problems
from impls.torch import linear_solvers, models, ops, solvers
from impls.torch.gradients import backprop, forward_gradient

WIDTH, BATCH = 16, 64
SIZES = {"width": WIDTH, "inputs": WIDTH, "batch": BATCH}

STEPS_SCALAR = 4
"""``torch.tensor(K)`` in a Solution, made where a dispatch mode does not look; counts where it is alive at the peak."""

LU_SCRATCH = 4 + 8 + BATCH * WIDTH
"""Inside ``linalg_solve_ex`` 1-based pivots are compared with 0: a bool for each of the batch's at most 64-bit pivots,
and the 0 in two types."""

LOG_SOFTMAX_ROWS = 4 * BATCH
"""log_softmax in forward mode multiplies in place, except under a dispatch mode: there one sum over rows more is alive
at the peak than in an ordinary call."""


def call(problem: problems.Problem, method: str = "backprop", adjoint: str = "", **options: Any) -> Callable[[], Any]:
    """One gradient call in float32, ready to be measured."""
    params = ops.tree_map(lambda p: torch.tensor(p, dtype=torch.float32), problem.params)
    batch = {
        name: torch.tensor(x, dtype=torch.float32 if x.dtype.kind == "f" else None) for name, x in problem.batch.items()
    }
    fixed_point = None
    if adjoint:
        module = importlib.import_module(f"impls.torch.adjoints.{adjoint}")
        fixed_point = partial(module.fixed_point, solver=solvers.Picard(5), **options)
    loss = models.loss(problem.name, fixed_point)
    if method == "backprop":
        return partial(backprop.value_and_grad(loss), params, batch, None)
    tangents = ops.tree_map(torch.ones_like, params)
    return partial(forward_gradient.value_and_grad(loss, tangents="given"), params, batch, tangents)


def test_backprop_to_the_byte() -> None:
    fn = call(problems.make("mlp", depth=4, classes=WIDTH, **SIZES))
    assert peak_bytes(fn) == live_bytes(fn).peak


def test_forward_gradient_but_for_one_sum_over_rows() -> None:
    fn = call(problems.make("mlp", depth=4, classes=WIDTH, **SIZES), "forward_gradient")
    assert peak_bytes(fn) == live_bytes(fn).peak - LOG_SOFTMAX_ROWS


@pytest.mark.parametrize(
    "adjoint, linear_solver, unseen",
    [
        ("unrolled", None, STEPS_SCALAR),
        ("jfb", None, STEPS_SCALAR),
        ("ift", linear_solvers.Picard(5), STEPS_SCALAR),
        ("ift", linear_solvers.GMRES(5), STEPS_SCALAR),
        ("ift", linear_solvers.Dense(), STEPS_SCALAR + LU_SCRATCH),
    ],
    ids=["unrolled", "jfb", "ift picard", "ift gmres", "ift dense"],
)
def test_adjoints_but_for_what_a_dispatch_mode_cannot_see(adjoint: str, linear_solver: Any, unseen: int) -> None:
    options = {"linear_solver": linear_solver} if linear_solver else {}
    fn = call(problems.make("tanh", **SIZES), "backprop", adjoint, **options)
    assert peak_bytes(fn) == live_bytes(fn).peak + unseen


@pytest.mark.parametrize(
    "adjoint, linear_solver", [("unrolled", None), ("jfb", None), ("ift", linear_solvers.Picard(5))]
)
def test_forward_mode_through_adjoints_as_reverse_mode(adjoint: str, linear_solver: Any) -> None:
    options = {"linear_solver": linear_solver} if linear_solver else {}
    fn = call(problems.make("tanh", **SIZES), "forward_gradient", adjoint, **options)
    assert peak_bytes(fn) - live_bytes(fn).peak in (0, STEPS_SCALAR)


def test_convolutions_need_room_of_their_own() -> None:
    """Each kernel unfolds or reorders its images and kernels inside, up to 9 numbers for each one of a 3 × 3 window."""
    channels, batch = 4, 8
    fn = call(problems.make("fpn", channels=channels, batch=batch), "backprop", "jfb")
    padded = 4 * batch * channels * 10 * 10
    assert 0 < peak_bytes(fn) - live_bytes(fn).peak <= 9 * padded


def test_counts_new_storage_once_and_not_its_views() -> None:
    x = torch.ones(1000)
    assert peak_bytes(lambda: (x + 1).view(10, 100).t().add_(1)) == 4000 + SCALAR
    assert peak_bytes(lambda: x.view(10, 100)) == 0
    assert peak_bytes(lambda: [torch.empty(1000), torch.empty(1000)]) == 8000
    assert peak_bytes(lambda: [torch.empty(1000) is None, torch.empty(1000) is None]) == 4000


SCALAR = 12
"""A Python number that meets a float32 tensor: a float64 of 8 bytes, cast to 4, before the result is allocated."""


def test_earlier_profiles_leave_no_mark() -> None:
    """Blocks that were seen to come and not to go would otherwise be released again, at the same address, by later
    calls."""
    from torch.profiler import ProfilerActivity, profile

    expected = peak_bytes(lambda: torch.empty(1000))
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True):
        kept = [torch.empty(1000) for _ in range(50)]
    kept.clear()
    kept.extend(torch.empty(1000) for _ in range(50))

    turns = iter(range(2))

    def call() -> torch.Tensor:
        if next(turns) == 1:  # not when it warms up
            kept.clear()
        return torch.empty(1000)

    assert peak_bytes(call) == expected == 4000


def test_what_a_first_call_keeps_for_good_does_not_count() -> None:
    kept: list[torch.Tensor] = []

    def call() -> torch.Tensor:
        if not kept:
            kept.append(torch.empty(5000))
        return torch.empty(1000)

    assert peak_bytes(call) == 4000


def test_an_error_of_the_call_comes_through_and_the_profiler_stops() -> None:
    turns = iter([None])

    def call() -> Any:
        next(turns)

    with pytest.raises(StopIteration):
        peak_bytes(call)
    assert peak_bytes(lambda: torch.empty(1000)) == 4000


def trace(changes: list[tuple[int, int]], base: int = 0) -> list[dict[str, Any]]:
    """Events of (address, bytes), all with the same timestamp, in the profiler's own form."""
    events, total = [], base
    for index, (address, size) in enumerate(changes):
        total += size
        args = {"Bytes": size, "Addr": address, "Total Allocated": total, "Ev Idx": index, "Device Type": 0}
        events.append({"name": "[memory]", "ts": 1.0, "args": args})
    return events


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 100))), st.integers(0, 1000), st.randoms())
def test_peak_of_blocks_that_come_and_go(turns: list[tuple[int, int]], base: int, random: Any) -> None:
    """Each turn releases the block at an address, or where there is none allocates one."""
    alive: dict[int, int] = {}
    changes, most = [], 0
    for address, size in turns:
        if address in alive:
            changes.append((address, -alive.pop(address)))
        else:
            alive[address] = size
            changes.append((address, size))
        most = max(most, sum(alive.values()))
    events = [*trace(changes, base), {"name": "other", "ts": 0.0}]
    random.shuffle(events)
    assert peak(events) == most


@given(st.integers(1, 100), st.integers(1, 100))
def test_a_release_of_a_block_from_before_does_not_count(size: int, stale: int) -> None:
    assert peak(trace([(1, size), (2, -stale), (3, size)], base=stale)) == 2 * size


def test_events_out_of_order_are_refused() -> None:
    events = trace([(1, 10), (1, -10), (2, 20)])
    for event, index in zip(events, (0, 2, 1), strict=True):
        event["args"]["Ev Idx"] = index
    with pytest.raises(RuntimeError, match="not in the order"):
        peak(events)


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
    found = torch_memory.device_bytes(lambda: device.take(*next(calls)))
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
