"""Cells in eager PyTorch. The framework is imported when a worker asks for it, never before."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from bench.instruments import torch_memory


class Framework:
    """Arrays in and out, callables and bytes, as ``bench.build`` needs them."""

    name = "torch"

    def __init__(self) -> None:
        import torch

        torch.set_num_threads(1)
        self._torch = torch

    def array(self, value: np.ndarray, dtype: str) -> Any:
        """A tensor of its own; floating point cast to ``dtype``, labels to int64."""
        kind = getattr(self._torch, dtype) if np.issubdtype(value.dtype, np.floating) else self._torch.int64
        return self._torch.tensor(np.asarray(value), dtype=kind)

    def double(self) -> AbstractContextManager[Any]:
        """Inside it float64 cells can be built beside float32 ones."""
        return nullcontext()

    def rng(self, seed: int) -> Any:
        """A generator for tangents."""
        return self._torch.Generator().manual_seed(seed)

    def forward(self, fn: Callable[..., Any], *args: Any) -> Callable[[], Any]:
        """``fn`` on these arguments, with no gradient recorded."""

        def call() -> Any:
            with self._torch.no_grad():
                return fn(*args)

        return call

    def gradient(self, fn: Callable[..., Any], *args: Any) -> tuple[Callable[[], Any], float | None]:
        """``fn`` on these arguments, and the seconds that compiling it took: none, in eager mode."""
        return lambda: fn(*args), None

    def sync(self, result: Any) -> Any:
        """Eager CPU calls are done when they return; on a GPU this waits."""
        if self._torch.cuda.is_available():
            self._torch.cuda.synchronize()
        return result

    def numpy(self, value: Any) -> np.ndarray:
        """A float64 copy."""
        return np.asarray(value.detach().double())

    def tell(self, note: Callable[[Any, Any], None], *values: Any) -> None:
        """Hand values of a running call to ``note``."""
        note(*values)

    def settle(self, result: Any) -> None:
        """Wait for a call and for what it told."""
        self.sync(result)

    def bytes(self, forward: Callable[[], Any], gradient: Callable[[], Any], loss: Callable[[], Any]) -> dict[str, Any]:
        """Peak bytes of both calls, and bytes that are held between the loss and its backward pass."""
        return {
            "peak_bytes": torch_memory.live_bytes(gradient).peak,
            "forward_peak_bytes": torch_memory.live_bytes(forward).peak,
            "held_bytes": torch_memory.live_bytes(loss).held,
        }
