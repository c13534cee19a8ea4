"""One worker process as an object: start it, ask it, kill it. This process can stand in for one."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from bench.failures import without_paths

WORKER = Path(__file__).resolve().parent / "worker.py"
"""The file that a worker process runs."""

START_S = 120.0
"""Seconds in which a worker must say that it is ready; it imports no framework before that."""

SINGLE = {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NPROC")}


class Lost(Exception):
    """A worker process that gave no answer and is gone, with the status its visit gets."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason

    @property
    def answer(self) -> dict[str, Any]:
        """What stands for the answer that did not come."""
        return {"status": self.status, "reason": self.reason}


@dataclass(frozen=True)
class Launch:
    """How worker processes are started; ``python`` and ``pythonpath`` say which ``impls`` they measure."""

    python: str = sys.executable
    script: Path = WORKER
    pythonpath: str | None = None
    compiled: Path | None = None
    """A folder where jax's processes share what they have compiled: those that time, and those of parts. One that makes
    exact visits compiles a program once, in ways of its own. Where jax refuses the folder each compiles for itself."""

    def start(self, core: int | None = None, task: Task | None = None) -> Worker:
        """A new worker process, on ``core`` alone where there is one."""
        return Worker(self, core, task)


@dataclass(frozen=True)
class Task:
    """What a worker process is for, as far as its environment depends on it."""

    measure: str = "time"
    visible_gpu: str | None = None
    """``CUDA_VISIBLE_DEVICES`` of the one GPU it uses; None for a worker on the cpu."""
    memory_bytes: int | None = None
    """The most data memory it may have, where the system can hold it to that."""


def environment(
    launch: Launch | None = None, task: Task | None = None, inherited: Mapping[str, str] | None = None
) -> dict[str, str]:
    """A worker's environment: one thread, one device, a fixed hash seed, and no compiler flags of a shell."""
    launch, task = launch or Launch(), task or Task()
    found = dict(os.environ if inherited is None else inherited)
    found.pop("XLA_FLAGS", None)
    found.pop("JAX_COMPILATION_CACHE_DIR", None)
    found.update(SINGLE, JAX_PLATFORMS="cpu", PYTHONHASHSEED="0")
    if task.visible_gpu is not None:
        # The cpu stands second, for callbacks to the host. jax's peak counts its whole pool unless it takes memory as
        # it needs it; trying out kernels takes memory too, and is switched off where bytes are measured.
        found.update(JAX_PLATFORMS="cuda,cpu", XLA_PYTHON_CLIENT_PREALLOCATE="false")
        found.update(CUDA_VISIBLE_DEVICES=task.visible_gpu, CUDA_DEVICE_ORDER="PCI_BUS_ID")
        if task.measure == "exact":
            found["XLA_FLAGS"] = "--xla_gpu_autotune_level=0"
    elif task.memory_bytes is not None:
        found["GRADRATIO_MEMORY_BYTES"] = str(task.memory_bytes)
    if launch.pythonpath is not None:
        found["PYTHONPATH"] = launch.pythonpath
    if launch.compiled is not None and task.measure != "exact":
        found["JAX_COMPILATION_CACHE_DIR"] = str(launch.compiled)
        found.update(JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="0", JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES="-1")
    return found


class Worker:
    """A running worker process, which a ``with`` ends however it is left. ``ready`` is the first message it sent."""

    def __init__(self, launch: Launch, core: int | None = None, task: Task | None = None) -> None:
        self.core = core
        self._buffer = b""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (lives as long as the process)
        self._process = subprocess.Popen(
            [launch.python, "-P", str(launch.script), *([] if core is None else [str(core)])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment(launch, task),
            start_new_session=True,  # Ctrl-C reaches the parent alone, which stops its workers itself
        )
        try:
            self.ready = self._receive(START_S)
            if not self.ready.get("ready"):
                raise LookupError(self.ready.get("reason", "The worker process is not ready."))
        except Lost as lost:
            raise RuntimeError(f"A worker process did not start: {lost.reason}") from None
        except BaseException:  # Ctrl-C too: nobody else knows of the process yet
            self.kill()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def ask(self, request: Mapping[str, Any], timeout_s: float) -> dict[str, Any]:
        """The answer to one request; ``Lost`` where the process dies or takes too long and is killed."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._dead() from None
        return self._receive(timeout_s)

    def stop(self) -> None:
        """Send the kill alone; whoever waits for an answer sees the process end."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                os.killpg(self._process.pid, signal.SIGKILL)

    def kill(self) -> None:
        """End the process and all that it started, at once, and let go of its pipes."""
        self.stop()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            with contextlib.suppress(BrokenPipeError):
                stream.close()  # type: ignore[union-attr]

    def _receive(self, timeout_s: float) -> dict[str, Any]:
        """The next line, as a message."""
        assert self._process.stdout is not None
        deadline = time.monotonic() + timeout_s
        while b"\n" not in self._buffer:
            readable, _, _ = select.select([self._process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            if not readable:
                self.kill()
                raise Lost("timeout", f"no answer within {timeout_s:g} s")
            data = os.read(self._process.stdout.fileno(), 1 << 16)
            if not data:
                raise self._dead()
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return json.loads(line)

    def _dead(self) -> Lost:
        """What became of a process that closed its end."""
        self._process.wait()
        code, words = self._process.returncode, self._last_words()
        self.kill()
        if code == -signal.SIGKILL:
            return Lost("oom", "the worker process was killed by SIGKILL, as the system does when memory runs out")
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        return Lost("failed", f"the worker process ended {how}: {words}")

    def _last_words(self) -> str:
        """The last line the process wrote to stderr."""
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return without_paths(lines[-1].strip()) if lines else "it said nothing"


class Here(Worker):
    """This process in the place of a worker: ``answer`` has what it is asked, in the thread that asks. Nothing ends one
    that hangs, and ``ready`` is what a worker would say first."""

    def __init__(self, answer: Callable[[dict[str, Any]], dict[str, Any]], ready: dict[str, Any]) -> None:
        self.core, self.ready, self._answer = None, ready, answer

    def start(self, core: int | None = None, task: Task | None = None) -> Here:
        """Itself, as a ``Launch`` starts a worker."""
        return self

    def ask(self, request: Mapping[str, Any], timeout_s: float) -> dict[str, Any]:
        """The answer to one request."""
        return self._answer(dict(request))

    def stop(self) -> None:
        """There is no process to end."""

    kill = stop
