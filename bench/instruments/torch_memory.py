"""Exact memory in torch: bytes that a call newly allocates at its peak, by three instruments.

``live_bytes`` adds up the live storages that a dispatch mode sees, and needs no GPU. Inputs and parameters that were
there before do not count, views and in-place results count once. ``peak_bytes`` is what the CPU allocator itself saw,
scratch memory inside a kernel included: the referee of the first, which agrees to the byte but for that scratch
(measured in the project's research notes for torch 2.13), and the only one that may look at compiled code, which a
dispatch mode would silently turn back into eager code. ``device_bytes`` is what a GPU's allocator was asked for, before
it rounds to blocks; what exceeds the live storages there is workspace of kernels. All are slow: never time under them.
"""

from __future__ import annotations

import functools
import gc
import json
import tempfile
import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.failures import require_sight
from bench.instruments.torch_calls import dispatched, profiled

Event = Mapping[str, Any]


@dataclass(frozen=True)
class Live:
    """peak: bytes newly allocated at the peak of the call. held: those that its result keeps alive."""

    peak: int
    held: int


@dataclass(frozen=True)
class DeviceBytes:
    """peak: newly requested bytes at the peak of the call. retained: what libraries keep after a first call, such as
    the workspace of matmuls."""

    peak: int
    retained: int


def live_bytes(fn: Callable[[], Any]) -> Live:
    """Peak and held bytes of ``fn()``, after one call to warm it up. Raises ``Unavailable`` where torch shows none."""
    _require_storages()
    return _live_bytes(fn)


def peak_bytes(fn: Callable[[], Any]) -> int:
    """Bytes that ``fn()`` newly allocates on the CPU at its peak, after one call to warm it up. Raises ``Unavailable``
    where torch shows none."""
    _require_allocations()
    return _peak_bytes(fn)


def device_bytes(fn: Callable[[], Any]) -> DeviceBytes:
    """Measure ``fn()`` on the current CUDA device, after one call to warm it up."""
    import torch

    forget = getattr(torch._C, "_cuda_clearCublasWorkspaces", None)  # kept for good by whichever call came first
    if forget is not None:
        forget()
    start = _requested(torch)
    fn()
    base = _requested(torch)
    torch.cuda.reset_peak_memory_stats()
    result = fn()
    torch.cuda.synchronize()
    peak = torch.cuda.memory_stats()["requested_bytes.all.peak"] - base
    del result
    return DeviceBytes(int(peak), int(base - start))


def stored(one: Any) -> list[Any]:
    """The dense tensors that a tensor is stored in: a dense one itself, of a sparse one its values and indices."""
    import torch

    if one.layout is torch.sparse_coo:
        return [one._values(), one._indices()]
    if one.layout in (torch.sparse_csr, torch.sparse_bsr):
        return [one.values(), one.crow_indices(), one.col_indices()]
    if one.layout in (torch.sparse_csc, torch.sparse_bsc):
        return [one.values(), one.ccol_indices(), one.row_indices()]
    return [one]


def peak(events: Iterable[Event]) -> int:
    """The largest sum of bytes that were allocated by these trace events and not yet released by them.

    Releases count where the block was allocated here too, whatever size they name: the allocator's books outlive a
    profile, and hold sizes of blocks that earlier profiles saw come and not go. Its running total is of no use for
    that reason, but from one event to the next it must change by the event's bytes, which shows that events with one
    timestamp stand in the order in which they happened. Raises ``RuntimeError`` where they do not.
    """
    memory = [one for one in events if one.get("name") == "[memory]" and one["args"]["Device Type"] == 0]
    memory.sort(key=lambda one: (one["ts"], one["args"]["Ev Idx"]))
    alive: dict[int, int] = {}
    now = most = 0
    total: int | None = None
    for args in (one["args"] for one in memory):
        size, address = args["Bytes"], args["Addr"]
        if total is not None and args["Total Allocated"] - total != size:
            raise RuntimeError(
                "The profiler's memory events are not in the order in which they happened, "
                "or some are missing: measure the peak again."
            )
        total = args["Total Allocated"]
        now -= alive.pop(address, 0)
        if size > 0:
            alive[address] = size
            now += size
            most = max(most, now)
    return most


def _live_bytes(fn: Callable[[], Any]) -> Live:
    import torch
    from torch.utils._pytree import tree_leaves

    alive: dict[int, tuple[int, Any]] = {}
    now = most = held = 0

    def add(storage: Any, before: set[int]) -> None:
        nonlocal now, most
        key = storage._cdata
        if key in alive or key in before or not storage.nbytes():
            return  # known, or a view of memory that is not ours
        alive[key] = (storage.nbytes(), weakref.ref(storage, lambda _: free(key)))
        now += storage.nbytes()
        most = max(most, now)

    def free(key: int) -> None:
        nonlocal now
        now -= alive.pop(key)[0]

    def handle(op: Any, args: tuple[Any, ...], kwargs: dict[str, Any], divided: Callable[[], Any]) -> Any:
        given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        before = {part.untyped_storage()._cdata for leaf in given for part in stored(leaf)}
        out = op(*args, **kwargs)
        for leaf in tree_leaves(out):
            # Forward mode has zeros that are never written down, and infers shapes on meta tensors; a call on a GPU has
            # a few numbers on the host.
            if isinstance(leaf, torch.Tensor) and leaf.device.type == device and not leaf._is_zerotensor():
                for part in stored(leaf):
                    add(part.untyped_storage(), before)
        return out

    def call() -> None:
        nonlocal held
        result = fn()
        gc.collect()
        held = now
        del result

    used = {leaf.device.type for leaf in tree_leaves(fn()) if isinstance(leaf, torch.Tensor)}
    device = next(iter(used - {"cpu"}), "cpu")
    gc.collect()
    dispatched(call, handle)
    return Live(most, held)


def _peak_bytes(fn: Callable[[], Any]) -> int:
    fn()
    gc.collect()
    with profiled(profile_memory=True) as profiler:
        fn()  # the result dies here, so that the allocator's books close with the profile
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        profiler.export_chrome_trace(str(path))
        return peak(json.loads(path.read_text(encoding="utf-8"))["traceEvents"])


def _requested(torch: Any) -> int:
    """Bytes requested of the GPU's allocator once everything is done and what is garbage is gone."""
    gc.collect()
    torch.cuda.synchronize()
    return int(torch.cuda.memory_stats()["requested_bytes.all.current"])


@functools.cache
def _require_storages() -> None:
    """Look at a known call, once a process."""
    require_sight("torch", "bytes of live storages", lambda: _live_bytes(_two_tanhs()), Live(8000, 4000))


@functools.cache
def _require_allocations() -> None:
    """Look at the same call, once a process."""
    require_sight("torch", "bytes of its allocator", lambda: _peak_bytes(_two_tanhs()), 8000)


def _two_tanhs() -> Callable[[], Any]:
    """A call that makes two arrays of 4000 bytes, the second from the first, which dies then."""
    import torch

    x = torch.ones(1000, dtype=torch.float32)
    return lambda: x.tanh().tanh()
