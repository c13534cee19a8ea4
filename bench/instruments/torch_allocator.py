"""Peak memory of a call as torch's CPU allocator itself saw it: every allocation and release, kernel scratch included.

The profiler reports each of them as an event with an address. It is the referee of ``torch_memory``, and the one
instrument of the two that may look at compiled code, which a dispatch mode would silently turn back into eager code.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.failures import require_sight

Event = Mapping[str, Any]


def peak_bytes(fn: Callable[[], Any]) -> int:
    """Bytes that ``fn()`` newly allocates on the CPU at its peak, after one call to warm it up. Slow: never time it.
    Raises ``Unavailable`` where torch shows none."""
    _require_sight()
    return _peak_bytes(fn)


@functools.cache
def _require_sight() -> None:
    """Look at a tanh that is made of another, once a process."""
    import torch

    x = torch.ones(1000, dtype=torch.float32)
    require_sight("torch", "bytes of its allocator", lambda: _peak_bytes(lambda: x.tanh().tanh()), 8000)


def _peak_bytes(fn: Callable[[], Any]) -> int:
    from torch.profiler import ProfilerActivity, profile

    fn()
    gc.collect()
    profiler = profile(activities=[ProfilerActivity.CPU], profile_memory=True)
    with quiet_stderr():
        profiler.start()
    try:
        fn()  # the result dies here, so that the allocator's books close with the profile
    finally:
        with quiet_stderr():
            profiler.stop()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        profiler.export_chrome_trace(str(path))
        return peak(json.loads(path.read_text(encoding="utf-8"))["traceEvents"])


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


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Drop what the profiler's library writes to file descriptor 2 when it starts and stops."""
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)
