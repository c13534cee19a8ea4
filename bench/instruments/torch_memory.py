"""Exact memory in torch without a GPU: the bytes of live storages, seen by a dispatch mode.

Counts what a call newly allocates; inputs and parameters that were there before do not count, views and in-place
results count once. Agrees with the CPU allocator to the byte except for scratch memory inside one kernel (measured
in the project's research notes for torch 2.13). Slow: never time under it.
"""

from __future__ import annotations

import functools
import gc
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.failures import require_sight
from bench.instruments.torch_dispatch import stored


@dataclass(frozen=True)
class Live:
    """peak: bytes newly allocated at the peak of the call. held: those that its result keeps alive."""

    peak: int
    held: int


def live_bytes(fn: Callable[[], Any]) -> Live:
    """Peak and held bytes of ``fn()``, after one call to warm it up. Raises ``Unavailable`` where torch shows none."""
    _require_sight()
    return _live_bytes(fn)


@functools.cache
def _require_sight() -> None:
    """Look at a tanh that is made of another, once a process."""
    import torch

    x = torch.ones(1000, dtype=torch.float32)
    require_sight("torch", "bytes of live storages", lambda: _live_bytes(lambda: x.tanh().tanh()), Live(8000, 4000))


def _live_bytes(fn: Callable[[], Any]) -> Live:
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    class Storages(TorchDispatchMode):
        def __init__(self) -> None:
            super().__init__()
            self.alive: dict[int, tuple[int, Any]] = {}
            self.now = self.peak = 0

        @classmethod
        def _should_skip_dynamo(cls) -> bool:
            return False  # else torch imports its compiler for the mode, which takes a process two seconds

        def __torch_dispatch__(self, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            kwargs = kwargs or {}
            given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
            before = {part.untyped_storage()._cdata for leaf in given for part in stored(leaf)}
            out = op(*args, **kwargs)
            for leaf in tree_leaves(out):
                # Forward mode has zeros that are never written down, and infers shapes on meta tensors; a call on a
                # GPU has a few numbers on the host.
                if isinstance(leaf, torch.Tensor) and leaf.device.type == device and not leaf._is_zerotensor():
                    for part in stored(leaf):
                        self.see(part.untyped_storage(), before)
            return out

        def see(self, storage: Any, before: set[int]) -> None:
            key = storage._cdata
            if key in self.alive or key in before or not storage.nbytes():
                return  # known, or a view of memory that is not ours
            gone = weakref.ref(storage, lambda _: self.free(key))
            self.alive[key] = (storage.nbytes(), gone)
            self.now += storage.nbytes()
            self.peak = max(self.peak, self.now)

        def free(self, key: int) -> None:
            self.now -= self.alive.pop(key)[0]

    used = {leaf.device.type for leaf in tree_leaves(fn()) if isinstance(leaf, torch.Tensor)}
    device = next(iter(used - {"cpu"}), "cpu")
    gc.collect()
    with Storages() as seen:
        result = fn()
        gc.collect()
        held = seen.now
        del result
    return Live(seen.peak, held)
