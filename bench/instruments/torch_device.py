"""Real peak memory of a call on a GPU in torch: what its allocator was asked for.

``requested_bytes`` counts what the code asked for, before the allocator rounds to blocks, so it can be held against the
exact model of ``torch_memory``; what exceeds the model is workspace that kernels take while they run.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class DeviceBytes:
    """peak: newly requested bytes at the peak of the call. retained: what libraries keep after a first call, such as
    the workspace of matmuls."""

    peak: int
    retained: int


def device_bytes(fn: Callable[[], Any]) -> DeviceBytes:
    """Measure ``fn()`` on the current CUDA device, after one call to warm it up."""
    import torch

    forget = getattr(torch._C, "_cuda_clearCublasWorkspaces", None)  # kept for good by whichever call came first
    if forget is not None:
        forget()
    start = _settled(torch)
    fn()
    base = _settled(torch)
    torch.cuda.reset_peak_memory_stats()
    result = fn()
    torch.cuda.synchronize()
    peak = torch.cuda.memory_stats()["requested_bytes.all.peak"] - base
    del result
    return DeviceBytes(int(peak), int(base - start))


def _settled(torch: Any) -> int:
    """Requested bytes once everything is done and what is garbage is gone."""
    gc.collect()
    torch.cuda.synchronize()
    return int(torch.cuda.memory_stats()["requested_bytes.all.current"])
