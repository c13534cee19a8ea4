"""Code that ``torch.compile`` made inside a call that is measured: found out, and left as it was.

A dispatch mode must never run over such code: dynamo steps aside under it, so that eager code is counted, and gives the
code up for good. What is compiled for other inputs than the caller's (no graph, float64) fills the caller's caches, and
beyond a few entries dynamo gives up too.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from bench.instruments.torch_allocator import quiet_stderr

EVENTS = ("Torch-Compiled Region", "TorchDynamo Cache Lookup")
"""How the profiler's events begin where dynamo looks at a frame, or runs what it made of one."""

LIMIT = 100_000
"""Compilations of one piece of code before dynamo gives up on it, silently and for good: more than there can be."""


def runs_compiled(call: Callable[[], Any]) -> bool:
    """Whether a call runs code of ``torch.compile``, whatever its backend. Where this torch does not show it, True once
    its compiler is loaded: what may be compiled is never shown to a dispatch mode."""
    if "torch._dynamo" not in sys.modules:
        return False
    return _seen(call) or not _shows()


def limits() -> dict[str, int]:
    """Settings of dynamo under which it never gives up on code that is compiled too often."""
    import torch._dynamo

    found = dict.fromkeys(("recompile_limit", "accumulated_recompile_limit"), LIMIT)
    return {name: value for name, value in found.items() if hasattr(torch._dynamo.config, name)}


@contextmanager
def apart() -> Iterator[None]:
    """What the caller's functions compile in here has caches of its own, so that afterwards theirs are as they were."""
    if "torch._dynamo" not in sys.modules:
        yield
        return
    import torch
    from torch._dynamo import eval_frame

    with torch._dynamo.config.patch(**limits()):
        name = "set_eval_frame_isolate_recompiles_id"
        if not (hasattr(eval_frame, name) and hasattr(eval_frame, "_next_isolate_recompiles_id")):
            try:  # of an older torch: the caches are emptied, and the caller's code compiles once more
                yield
            finally:
                torch._dynamo.reset()
            return
        choose, own = getattr(eval_frame, name), next(eval_frame._next_isolate_recompiles_id)
        try:
            # -1 is the set of caches that all share which asked for none of their own; they are read here too.
            with mock.patch.object(eval_frame, name, lambda one: choose(own if one == -1 else one)):
                yield
        finally:
            choose(-1)


@contextmanager
def eager() -> Iterator[None]:
    """No code of ``torch.compile`` runs in here, but what it was made of."""
    if "torch._dynamo" not in sys.modules:
        yield
        return
    import torch

    if not hasattr(torch.compiler, "set_stance"):
        yield
        return
    with torch.compiler.set_stance("force_eager"):
        yield


def _seen(call: Callable[[], Any]) -> bool:
    from torch.profiler import ProfilerActivity, profile

    profiler = profile(activities=[ProfilerActivity.CPU])
    with quiet_stderr():
        profiler.start()
    try:
        call()
    finally:
        with quiet_stderr():
            profiler.stop()
    return any(event.name.startswith(EVENTS) for event in profiler.events())


@functools.cache
def _shows() -> bool:
    """Whether this torch's profiler shows compiled code, tried once a process."""
    import torch

    with apart():
        compiled = torch.compile(lambda x: x + 1, backend="eager")
        compiled(torch.ones(1))
        return _seen(lambda: compiled(torch.ones(1)))
