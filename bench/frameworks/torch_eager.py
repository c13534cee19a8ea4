"""Cells in eager PyTorch. The framework is imported when a worker asks for it, never before."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from bench.failures import Unavailable
from bench.instruments import torch_calls, torch_memory, torch_work


class Framework:
    """Arrays in and out, callables and bytes, as ``bench.job`` needs them."""

    name = "torch"

    def __init__(self, device: str = "cpu") -> None:
        import torch

        torch.set_num_threads(1)
        self._torch, self._cuda = torch, device.startswith("cuda")
        # One GPU is visible to a worker, so the one it uses has the number 0.
        self._device = torch.device("cuda" if self._cuda else device)
        if self._cuda:
            if not torch.cuda.is_available():
                raise Unavailable("This torch sees no CUDA device: install a build of torch for CUDA.")
            torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False  # float32 means float32

    def array(self, value: np.ndarray, dtype: str) -> Any:
        """A tensor of its own; floating point cast to ``dtype``, labels to int64. Of shapes alone, on meta."""
        kind = getattr(self._torch, dtype) if np.issubdtype(value.dtype, np.floating) else self._torch.int64
        if self._device.type == "meta":
            return self._torch.empty(value.shape, dtype=kind, device=self._device)
        return self._torch.tensor(np.asarray(value), dtype=kind, device=self._device)

    def double(self) -> AbstractContextManager[Any]:
        """Inside it float64 cells can be built beside float32 ones."""
        return nullcontext()

    def opaque(self, call: Callable[[], Any]) -> Framework | None:
        """What measures a call that runs code of ``torch.compile``; None for any other."""
        if not torch_calls.runs_compiled(call):
            return None
        from bench.frameworks.torch_compiled import Opaque

        return Opaque(self._device.type)

    def rng(self, seed: int) -> Any:
        """A generator for tangents."""
        return self._torch.Generator(self._device).manual_seed(seed)

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
        """Eager CPU calls are done when they return; a GPU is waited for."""
        if self._cuda:
            self._torch.cuda.synchronize()
        return result

    def numpy(self, value: Any) -> np.ndarray:
        """A float64 copy."""
        return np.asarray(value.detach().cpu().double())

    def tell(self, note: Callable[[Any, Any], None], *values: Any) -> None:
        """Hand values of a running call to ``note``."""
        note(*values)

    def settle(self, result: Any) -> None:
        """Wait for a call and for what it told."""
        self.sync(result)

    def bytes(
        self, forward: Callable[[], Any], gradient: Callable[[], Any], loss: Callable[..., Any] | None, *args: Any
    ) -> dict[str, Any]:
        """Peak bytes of both calls, and bytes that stay alive between ``loss(params, batch)`` and its backward pass: 0
        where there is none. On a GPU the allocator's real peaks stand beside the live storages."""
        found: dict[str, Any] = {
            "peak_bytes": torch_memory.live_bytes(gradient).peak,
            "forward_peak_bytes": torch_memory.live_bytes(forward).peak,
            "held_bytes": 0 if loss is None else self._held(loss, *args),
        }
        if self._cuda:
            real, plain = torch_memory.device_bytes(gradient), torch_memory.device_bytes(forward)
            found["device_peak_bytes"], found["device_forward_peak_bytes"] = real.peak, plain.peak
            found["workspace_bytes"] = real.peak + real.retained - found["peak_bytes"]
        return found

    def flops(self, forward: Callable[[], Any], gradient: Callable[[], Any]) -> dict[str, Any]:
        """Flops of both calls, op by op."""
        return {"flops": torch_work.flops(gradient), "forward_flops": torch_work.flops(forward)}

    def traffic(self, forward: Callable[[], Any], gradient: Callable[[], Any]) -> dict[str, Any]:
        """Bytes that the operations of both calls read and write."""
        return {"traffic": torch_work.traffic(gradient), "forward_traffic": torch_work.traffic(forward)}

    def _held(self, loss: Callable[..., Any], params: Any, *args: Any) -> int:
        from impls.torch.ops import tree_map

        leaves = tree_map(lambda p: p.detach().requires_grad_(), params)
        return torch_memory.live_bytes(lambda: loss(leaves, *args)).held
