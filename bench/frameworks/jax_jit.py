"""Cells in jitted JAX. The framework is imported when a worker asks for it, never before."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from bench.failures import Unavailable
from bench.instruments import jax_memory, jax_work
from bench.instruments.counting import UnknownOp


class Framework:
    """Arrays in and out, callables and bytes, as ``bench.job`` needs them."""

    name = "jax"

    def __init__(self, device: str = "cpu") -> None:
        import jax

        self._jax, self._meta, self._cuda = jax, device == "meta", device.startswith("cuda")
        if self._cuda:
            try:
                jax.devices("cuda")
            except RuntimeError:
                raise Unavailable("This jax sees no CUDA device: install jax with its CUDA plugin.") from None
            jax.config.update("jax_default_matmul_precision", "highest")  # float32 means float32

    def array(self, value: np.ndarray, dtype: str) -> Any:
        """An array on the device; floating point cast to ``dtype``, labels to int32. Its shape alone, on meta."""
        if dtype == "float64" and not self._jax.config.jax_enable_x64:
            self._jax.config.update("jax_enable_x64", True)
        kind = dtype if np.issubdtype(value.dtype, np.floating) else "int32"
        if self._meta:
            return self._jax.ShapeDtypeStruct(value.shape, np.dtype(kind))
        return self._jax.numpy.asarray(np.asarray(value), dtype=kind)

    def double(self) -> AbstractContextManager[Any]:
        """Inside it float64 cells can be built beside float32 ones."""
        return self._jax.enable_x64(True)

    def opaque(self, call: Callable[[], Any]) -> None:
        """Nothing: the instruments look at jaxprs, and see what ``jax.jit`` compiles inside a call."""

    def rng(self, seed: int) -> Any:
        """A key for tangents."""
        return self._jax.random.key(seed)

    def forward(self, fn: Callable[..., Any], *args: Any) -> Callable[[], Any]:
        """``fn``, compiled when it is first called: an exact visit never does. On a GPU it is compiled here, since the
        device's peak is that of the first call. Every array enters as an argument; a captured one would be a constant.
        """
        return self.gradient(fn, *args)[0] if self._cuda else Call(None, fn, args, self.sync)

    def gradient(self, fn: Callable[..., Any], *args: Any) -> tuple[Callable[[], Any], float | None]:
        """``fn`` compiled, and the seconds that tracing, lowering and compiling took; unknown where another process of
        the run had compiled it. Shapes alone are not compiled here: the memory instrument does it in its own way."""
        if self._meta:
            return Call(None, fn, args, self.sync), None
        loaded, started = len(_loads()), time.perf_counter()
        compiled = _compiled(fn, *args)
        seconds = time.perf_counter() - started if len(_loads()) == loaded else None
        return Call(compiled, fn, args, self.sync, self._jax.devices()[0] if self._cuda else None), seconds

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

    def bytes(self, forward: Any, gradient: Any, loss: Callable[..., Any] | None, *args: Any) -> dict[str, Any]:
        """Peak bytes of both calls by the compiler's buffer assignment, and bytes that ``loss(params, batch)`` leaves
        for its backward pass, before compilation: 0 where there is none. On a GPU the real peaks of each call's first
        run stand beside them."""
        found: dict[str, Any] = {
            "peak_bytes": jax_memory.assigned_bytes(gradient.fn, *gradient.args),
            "forward_peak_bytes": jax_memory.assigned_bytes(forward.fn, *forward.args),
            "held_bytes": 0 if loss is None else jax_memory.held_bytes(loss, *args),
        }
        if self._cuda:
            found["device_peak_bytes"], found["device_forward_peak_bytes"] = gradient.device_peak, forward.device_peak
            known = gradient.device_peak is not None
            found["workspace_bytes"] = gradient.device_peak - found["peak_bytes"] if known else None
        return found

    def flops(self, forward: Any, gradient: Any) -> dict[str, Any]:
        """Flops of both calls as they were traced, loops times their length."""
        return {
            "flops": jax_work.flops(gradient.fn, *gradient.args),
            "forward_flops": jax_work.flops(forward.fn, *forward.args),
        }

    def traffic(self, forward: Any, gradient: Any) -> dict[str, Any]:
        """Bytes that the equations of both calls read and write, each by itself; unknown where a loop's length is."""
        found = {"traffic": gradient, "forward_traffic": forward}
        try:
            return {name: jax_work.traffic(call.fn, *call.args) for name, call in found.items()}
        except UnknownOp:
            return dict.fromkeys(found)


@functools.cache
def _loads() -> list[str]:
    """Grows by one with each program that jax loads instead of compiling it, from the first call of this on."""
    import jax.monitoring

    found: list[str] = []

    def look(event: str, **_: Any) -> None:
        if event == "/jax/compilation_cache/cache_hits":
            found.append(event)

    jax.monitoring.register_event_listener(look)
    return found


def _compiled(fn: Callable[..., Any], *args: Any) -> Callable[..., Any]:
    import jax

    return jax.jit(fn).lower(*args).compile()


class Call:
    """A function with its arguments, compiled when it is first called unless it is already; and the function itself,
    for the instruments.

    device_peak: bytes newly allocated on the device at the peak of the first call. A device's peak cannot be reset, so
    it is None where an earlier call in this process reached as high.
    """

    def __init__(
        self,
        compiled: Callable[..., Any] | None,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        sync: Callable[[Any], Any],
        device: Any = None,
    ) -> None:
        self.compiled, self.fn, self.args = compiled, fn, args
        self._sync, self._device = sync, device
        self.device_peak: int | None = None

    def __call__(self) -> Any:
        if self.compiled is None:
            self.compiled = _compiled(self.fn, *self.args)
        if self._device is None:
            return self.compiled(*self.args)
        device, self._device = self._device, None
        before = device.memory_stats()
        result = self._sync(self.compiled(*self.args))
        after = device.memory_stats()
        if after["peak_bytes_in_use"] > before["peak_bytes_in_use"]:
            self.device_peak = int(after["peak_bytes_in_use"] - before["bytes_in_use"])
        return result
