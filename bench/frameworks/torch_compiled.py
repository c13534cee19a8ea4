"""Cells in compiled PyTorch: ``torch.compile`` around the loss and around the whole gradient call, breaks allowed.

Every compilation starts from empty caches on disk and in memory and keeps its compiled code to itself, so that
``compile_s`` holds the same work in every worker, whatever cells came before. It is wall time: other work adds to it.
"""

from __future__ import annotations

import functools
import inspect
import operator
import sysconfig
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from tempfile import TemporaryDirectory, gettempdir
from typing import Any

from bench.failures import NotApplicable, Unavailable, require_sight
from bench.frameworks import torch_eager
from bench.instruments import torch_calls, torch_memory

MOST_CALLS = 4
"""Calls within which a callable must stop compiling: the first, and a few that still meet new guards."""

_AGAIN = (
    "torch.compile compiled again after its first calls, which would be timed with the rest: use mode eager, or take "
    "out of the code what differs from call to call."
)


class Opaque(torch_eager.Framework):
    """Calls that run compiled code, inside which no dispatch mode can look."""

    def bytes(
        self, forward: Callable[[], Any], gradient: Callable[[], Any], loss: Callable[..., Any] | None, *args: Any
    ) -> dict[str, Any]:
        """Peak bytes of both calls, by the allocator: under a dispatch mode they would run as eager code. What is held
        for the backward pass is unknown, since the call compiled is the whole gradient."""
        if self._cuda:
            real, plain = torch_memory.device_bytes(gradient), torch_memory.device_bytes(forward)
            return {"device_peak_bytes": real.peak, "device_forward_peak_bytes": plain.peak, "held_bytes": None}
        return {
            "peak_bytes": torch_memory.peak_bytes(gradient),
            "forward_peak_bytes": torch_memory.peak_bytes(forward),
            "held_bytes": None,
        }

    def flops(self, forward: Callable[[], Any], gradient: Callable[[], Any]) -> dict[str, Any]:
        """Unknown: the counter is a dispatch mode."""
        return {"flops": None, "forward_flops": None}

    def traffic(self, forward: Callable[[], Any], gradient: Callable[[], Any]) -> dict[str, Any]:
        """Unknown for the same reason."""
        return {"traffic": None, "forward_traffic": None}


class Framework(Opaque):
    """As in eager mode, with compiled callables. Raises ``Unavailable`` where this machine can compile nothing,
    ``NotApplicable`` on meta."""

    def __init__(self, device: str = "cpu") -> None:
        if device == "meta":
            raise NotApplicable("Shapes alone cannot be compiled: use mode eager on meta.")
        _require_compiler()
        if reason := _start_toolchain("cuda" if device.startswith("cuda") else device):
            raise Unavailable(reason)
        super().__init__(device)

    def forward(self, fn: Callable[..., Any], *args: Any) -> Callable[[], Any]:
        """``fn`` with no gradient recorded, compiled now."""
        compiled = _Compiled(fn, args, self.sync, self._torch.no_grad)
        compiled.compile()
        return compiled

    def gradient(self, fn: Callable[..., Any], *args: Any) -> tuple[Callable[[], Any], float | None]:
        """``fn``, compiled now, and the seconds of the calls that compiled it, which ran once each."""
        compiled = _Compiled(fn, args, self.sync, nullcontext)
        return compiled, compiled.compile()

    def tell(self, note: Callable[[Any, Any], None], *values: Any) -> None:
        """Hand values of a running call to ``note``, outside the compiled code."""
        self._torch.compiler.disable(note)(*values)


class _Compiled:
    """A call with its arguments that is compiled once; ``RuntimeError`` where a later call would compile again."""

    def __init__(
        self,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        sync: Callable[[Any], Any],
        mode: Callable[[], AbstractContextManager[Any]],
    ) -> None:
        import torch

        self._torch, self._args, self._sync, self._mode = torch, args, sync, mode
        newer = "isolate_recompiles" in inspect.signature(torch.compile).parameters
        self._fn = torch.compile(fn, dynamic=False, **({"isolate_recompiles": True} if newer else {}))
        self._ready = False

    def __call__(self) -> Any:
        if not self._ready:
            self.compile()
        before = _compilations()
        with self._mode():
            result = self._fn(*self._args)
        if _compilations() != before:
            raise RuntimeError(_AGAIN)
        return result

    def compile(self) -> float:
        """Call until a call compiles nothing; the seconds of those that did. Generators are put back to where they
        were: the first call that is measured draws what an uncompiled first call would draw."""
        generators = [one for one in self._args if isinstance(one, self._torch.Generator)]
        states = [one.get_state() for one in generators]
        seconds = 0.0
        with _fresh():
            for _ in range(MOST_CALLS):
                before, started = _compilations(), time.perf_counter()
                with self._mode():
                    self._sync(self._fn(*self._args))
                elapsed = time.perf_counter() - started
                for generator, state in zip(generators, states, strict=True):
                    generator.set_state(state)
                if _compilations() == before:
                    break
                seconds += elapsed
            else:
                raise RuntimeError(_AGAIN)
        self._ready = True
        return seconds


def _compilations() -> int:
    """Pieces of code that this process has compiled, or tried to."""
    import torch._dynamo.utils

    return int(torch._dynamo.utils.counters["frames"]["total"])


@contextmanager
def _fresh() -> Iterator[None]:
    """Settings for compiling. Caches on disk lie in a folder of their own, for one compilation; no helper processes
    compile, since a worker has one core; ``autograd.grad`` is compiled, not left to eager code."""
    import torch
    import torch._inductor.config
    from torch._inductor.utils import fresh_cache

    settings = torch_calls.limits()
    if hasattr(torch._dynamo.config, "trace_autograd_ops"):
        settings["trace_autograd_ops"] = True
    with (
        TemporaryDirectory() as folder,
        torch._inductor.config.patch(compile_threads=1),
        torch._dynamo.config.patch(**settings),
        fresh_cache(dir=folder),
    ):
        yield


@functools.cache
def _start_toolchain(device: str) -> str:
    """Compile something small: the headers and the processor's vector units are looked at once a process, on no
    cell's account. Returns why nothing can be compiled here, where that is known, else nothing."""
    import torch

    x, before = torch.ones(3, device=device), _compilations()
    try:
        _Compiled(lambda x: x + 1, (x,), lambda result: result, torch.no_grad).compile()
    except Exception as error:
        if reason := _cause(str(error)):
            return reason
        raise
    # Blind to its own work, it would time a compilation as a call.
    require_sight("torch", "compilations", lambda: _compilations() - before, 1, operator.ge)
    return ""


def _cause(said: str) -> str:
    """What a failed build fails of, as far as the machine is its cause."""
    import torch

    places = {
        "torch": torch.__file__,
        "Python's headers": sysconfig.get_paths()["include"],
        "the folder of temporary files (TMPDIR)": gettempdir(),
    }
    spaced = [name for name, path in places.items() if any(letter.isspace() for letter in path)]
    if spaced and "CppCompileError" in said:
        return (
            f"torch.compile cannot build in a path with a space, and {' and '.join(spaced)} lies in one: use an "
            "environment and a TMPDIR in folders without."
        )
    return "torch.compile needs Python's headers: install python3-dev." if "Python.h" in said else ""


def _require_compiler() -> None:
    try:
        from torch._inductor.cpp_builder import get_cpp_compiler
        from torch._inductor.exc import InvalidCxxCompiler
    except ImportError:
        return  # torch finds out itself, when it compiles
    try:
        get_cpp_compiler()
    except InvalidCxxCompiler:
        raise Unavailable("torch.compile needs a C++ compiler: install g++.") from None
