"""What a call in torch runs: its operations one by one, its profile, and the code of ``torch.compile`` inside it.

A dispatch mode must never run over compiled code: dynamo steps aside under it, so that eager code is counted, and gives
the code up for good. What is compiled for other inputs than the caller's (no graph, float64) fills the caller's caches,
and beyond a few entries dynamo gives up too. So compiled code is found out here, and left as it was.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from bench.failures import require_sight

Handle = Callable[[Any, tuple[Any, ...], dict[str, Any], Callable[[], Any]], Any]
"""``handle(op, args, kwargs, divided)`` runs ``op`` and returns its result. ``divided()`` runs a composite operation as
those that it is made of, each of which is shown by itself, and returns NotImplemented for any other: in inference mode
composite operations arrive undivided."""

EVENTS = ("Torch-Compiled Region", "TorchDynamo Cache Lookup")
"""How the profiler's events begin where dynamo looks at a frame, or runs what it made of one."""

LIMIT = 100_000
"""Compilations of one piece of code before dynamo gives up on it, silently and for good: more than there can be."""


def operations(fn: Callable[[], Any], handle: Handle) -> None:
    """Call ``fn`` once, with each of its operations run by ``handle``.

    Reverse mode, dual numbers and vmap show the operations that they are made of. Never show a compiled callable:
    torch.compile steps aside under a dispatch mode. Raises ``Unavailable`` where torch shows none.
    """
    _require_operations()
    dispatched(fn, handle)


def dispatched(fn: Callable[[], Any], handle: Handle) -> None:
    """The same, without a look at whether torch shows them."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Shown(TorchDispatchMode):
        @classmethod
        def _should_skip_dynamo(cls) -> bool:
            return False  # else torch imports its compiler for the mode, which takes a process two seconds

        def __torch_dispatch__(self, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            def divided() -> Any:
                with self:
                    return op.decompose(*args, **kwargs or {}) if hasattr(op, "decompose") else NotImplemented

            return handle(op, args, kwargs or {}, divided)

    with Shown():
        fn()


@contextmanager
def profiled(**settings: Any) -> Iterator[Any]:
    """torch's own profiler of the CPU around some calls; what its library writes to file descriptor 2 when it starts
    and stops is dropped."""
    from torch.profiler import ProfilerActivity, profile

    profiler = profile(activities=[ProfilerActivity.CPU], **settings)
    with _quiet_stderr():
        profiler.start()
    try:
        yield profiler
    finally:
        with _quiet_stderr():
            profiler.stop()


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
    with profiled() as profiler:
        call()
    return any(event.name.startswith(EVENTS) for event in profiler.events())


@functools.cache
def _shows() -> bool:
    """Whether this torch's profiler shows compiled code, tried once a process."""
    import torch

    with apart():
        compiled = torch.compile(lambda x: x + 1, backend="eager")
        compiled(torch.ones(1))
        return _seen(lambda: compiled(torch.ones(1)))


@functools.cache
def _require_operations() -> None:
    """Look at two products, once a process."""
    import torch

    def look() -> int:
        x, seen = torch.ones(2, 2), list[Any]()

        def handle(op: Any, args: tuple[Any, ...], kwargs: dict[str, Any], divided: Callable[[], Any]) -> Any:
            seen.append(str(op.overloadpacket))
            return op(*args, **kwargs)

        dispatched(lambda: x.mm(x).mm(x), handle)
        return seen.count("aten.mm")

    require_sight("torch", "operations", look, 2)


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Drop what is written to file descriptor 2."""
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)
