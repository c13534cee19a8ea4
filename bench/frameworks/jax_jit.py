"""Cells in jitted JAX. The framework is imported when a worker asks for it, never before."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from bench.instruments import jax_memory


class Framework:
    """Arrays in and out, callables and bytes, as ``bench.build`` needs them."""

    name = "jax"

    def __init__(self) -> None:
        import jax

        self._jax = jax

    def array(self, value: np.ndarray, dtype: str) -> Any:
        """An array on the device; floating point cast to ``dtype``, labels to int32."""
        if dtype == "float64" and not self._jax.config.jax_enable_x64:
            self._jax.config.update("jax_enable_x64", True)
        kind = dtype if np.issubdtype(value.dtype, np.floating) else "int32"
        return self._jax.numpy.asarray(np.asarray(value), dtype=kind)

    def double(self) -> AbstractContextManager[Any]:
        """Inside it float64 cells can be built beside float32 ones."""
        return self._jax.enable_x64(True)

    def rng(self, seed: int) -> Any:
        """A key for tangents."""
        return self._jax.random.key(seed)

    def forward(self, fn: Callable[..., Any], *args: Any) -> Callable[[], Any]:
        """``fn`` compiled; every array enters as an argument, since a captured one would be a constant."""
        return self.gradient(fn, *args)[0]

    def gradient(self, fn: Callable[..., Any], *args: Any) -> tuple[Callable[[], Any], float | None]:
        """``fn`` compiled, and the seconds that tracing, lowering and compiling took."""
        started = time.perf_counter()
        compiled = self._jax.jit(fn).lower(*args).compile()
        seconds = time.perf_counter() - started
        call = _Call(compiled, fn, args)
        return call, seconds

    def sync(self, result: Any) -> Any:
        """Dispatch is asynchronous, on a CPU too."""
        return self._jax.block_until_ready(result)

    def numpy(self, value: Any) -> np.ndarray:
        """A float64 copy."""
        return np.asarray(value, np.float64)

    def tell(self, note: Callable[[Any, Any], None], *values: Any) -> None:
        """Hand values of a running call to ``note``: compiled code calls back."""
        self._jax.debug.callback(note, *values)

    def settle(self, result: Any) -> None:
        """Wait for a call and for what it told."""
        self.sync(result)
        self._jax.effects_barrier()

    def bytes(self, forward: Any, gradient: Any, loss: Any) -> dict[str, Any]:
        """Peak bytes of both calls by the compiler's buffer assignment; what is held between is not told apart."""
        return {
            "peak_bytes": jax_memory.assigned_bytes(gradient.fn, *gradient.args),
            "forward_peak_bytes": jax_memory.assigned_bytes(forward.fn, *forward.args),
            "held_bytes": None,
        }


class _Call:
    """A compiled function with its arguments, and the function itself for the memory instrument."""

    def __init__(self, compiled: Any, fn: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.compiled, self.fn, self.args = compiled, fn, args

    def __call__(self) -> Any:
        return self.compiled(*self.args)
