"""Where the time of an eager torch call goes, by torch's own profiler: the CPU time of each kind of operation.

An operation's self time is its kernel's and its dispatch, without the operations that it calls. What is left of the
call is Python and autograd's engine. The profiler makes every operation about a microsecond dearer, small ones
relatively most.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from bench.instruments.profiled import Profile
from bench.instruments.profiled import profile as profiled
from bench.instruments.torch_allocator import quiet_stderr


def profile(fn: Callable[[], Any], sync: Callable[[Any], Any], calls: int) -> Profile:
    """One call of ``fn`` on average over ``calls``, after one to warm it up."""
    import torch.profiler

    sync(fn())
    watch = torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU])
    with quiet_stderr():
        watch.start()
    started = time.perf_counter()
    try:
        for _ in range(calls):
            sync(fn())
    finally:
        seconds = time.perf_counter() - started
        with quiet_stderr():
            watch.stop()
    found = [(one.key, one.count, 1e-6 * one.self_cpu_time_total) for one in watch.key_averages()]
    return profiled((one for one in found if _is_operation(one[0])), seconds, calls)


def _is_operation(name: str) -> bool:
    """``aten::mm`` is one; ``autograd::engine::evaluate_function: …`` and ``TanhBackward0`` are the engine's."""
    return "::" in name and not name.startswith(("autograd::", "profiler::"))
