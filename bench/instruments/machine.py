"""The machine that a number was measured on: its kind, its GPUs, its versions, and how it fared meanwhile.

No host name, address or path is in any of it. NVIDIA GPUs are asked of their driver: no framework is imported for it,
and no setting changed.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any

DISTRIBUTIONS = ("torch", "jax", "jaxlib", "numpy")
GIB = 1 << 30

LEAST_SHARE = 0.9
"""Of the wall time, how much the process must have computed: less means that it waited for a core."""

MOST_STOLEN = 0.05
"""Of the wall time, how much a hypervisor may have given to other guests."""

SPARE_LOAD = 1
"""How far the load may stand above the number of cores: the measuring processes alone make up that number."""

LEAST_CLOCK = 0.75
"""Of the largest clock: what a core or GPU must run at, as in NVIDIA's nvbench."""

SLOWED = {
    0x08: "hardware slowdown",
    0x20: "software thermal slowdown",
    0x40: "hardware thermal slowdown",
    0x80: "power brake",
}
"""Bits of the driver's clock event reasons that mean a slower clock than the workload would have got."""


def describe() -> dict[str, Any]:
    """The machine in words that identify its kind and not its owner."""
    import psutil

    release = ".".join(platform.release().split(".")[:2])
    return {
        "cpu": _cpu(),
        "cores": len(available_cores()),
        "memory_bytes": round(psutil.virtual_memory().total / GIB) * GIB,  # machines of one kind differ by some pages
        "system": f"{platform.system()} {release} {platform.machine()}",
        "gpu": gpu(),
    }


def name() -> str:
    """A name of this kind of machine, such as ``amd-epyc-9b14-2-cores``, in small letters, digits and hyphens. It is
    made from the processor's model, never from the host's name, so machines of one kind share it."""
    model = re.sub(r"\((r|tm)\)|@.*|\b(cpu|processor)\b", " ", _cpu().lower())
    words = re.findall(r"[a-z0-9]+", f"{model} {len(available_cores())} cores")
    return "-".join(words)


def available_cores() -> list[int]:
    """The numbers of the cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def memory_for(processes: int) -> int:
    """Bytes that each of so many worker processes may take: their even share of nine tenths of what is available."""
    import psutil

    found = psutil.virtual_memory().available
    most, used = (_number(Path("/sys/fs/cgroup") / name) for name in ("memory.max", "memory.current"))  # of a container
    if most is not None:
        found = max(0, min(found, most - (used or 0)))
    return int(0.9 * found / processes)


def versions() -> dict[str, str | None]:
    """Versions of Python and of the frameworks, read without importing; None for what is missing."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for name in DISTRIBUTIONS:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found


def load() -> float | None:
    """The 1-minute load average, None where the system keeps none."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def visible_gpus() -> list[str]:
    """What ``CUDA_VISIBLE_DEVICES`` must be for each GPU that this process may use; empty where there is none."""
    indices = [line[0] for line in _query("index")]
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is None or not indices:
        return indices
    return [name.strip() for name in chosen.split(",") if name.strip() not in ("", "-1")]


def gpu() -> dict[str, Any] | None:
    """Kind, memory in bytes and number of GPUs; None where there is none. No serial number or address."""
    rows = _query("name", "memory.total")
    if not rows:
        return None
    name, mebibytes = rows[0]
    return {"name": name, "memory_bytes": _whole(mebibytes, 1 << 20), "count": len(rows)}


def gpu_driver() -> str | None:
    """Version of the driver; None where there is none. Machines of one kind differ in it: it is no part of theirs."""
    rows = _query("driver_version")
    return rows[0][0] if rows else None


def gpu_state(visible_as: str) -> dict[str, Any] | None:
    """Clock and its maximum in MHz, temperature in °C, and why the clock was lowered if it was."""
    names = ("clocks.sm", "clocks.max.sm", "temperature.gpu")
    # The driver's newer name first; one that it does not know makes it refuse the whole question.
    rows = _query(*names, "clocks_event_reasons.active", of=visible_as)
    rows = rows or _query(*names, "clocks_throttle_reasons.active", of=visible_as)
    if not rows:
        return None
    clock, most, temperature, reasons = rows[0]
    bits = int(reasons, 16) if reasons.startswith("0x") else 0
    return {
        "sm_mhz": _whole(clock),
        "sm_most_mhz": _whole(most),
        "temperature_c": _whole(temperature),
        "slowed_by": [words for bit, words in SLOWED.items() if bits & bit],
    }


class Watch:
    """A context manager around timed calls; afterwards ``found`` holds what psutil and the driver saw meanwhile.

    load: 1-minute average at the start. affinity: cores that the process may use. cpu_share: its cpu seconds ÷ wall
    seconds. steal_share: the hypervisor's share of these cores. frequency_mhz, slowest_mhz: of the core, at the start
    and the lower of both ends; None where the system does not say. gpu: see ``gpu_state``, right after the calls.
    warnings: "busy", "stolen", "throttled".
    """

    def __init__(self, visible_gpu: str | None = None) -> None:
        self._gpu = visible_gpu
        self.found: dict[str, Any] = {}

    def __enter__(self) -> Watch:
        import psutil

        self._process = psutil.Process()
        self._cores = available_cores()
        self.found = {"load": load(), "affinity": self._cores, "frequency_mhz": _clock(self._cores)[0]}
        self._cpu, self._stolen, self._began = self._spent(), self._steal(), time.perf_counter()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        wall = time.perf_counter() - self._began
        cpu, stolen = self._spent() - self._cpu, self._steal() - self._stolen
        clock, most = _clock(self._cores)
        clocks = [one for one in (self.found["frequency_mhz"], clock) if one]
        self.found["slowest_mhz"] = min(clocks, default=None)
        self.found["cpu_share"] = cpu / wall if wall > 0 else None
        self.found["steal_share"] = stolen / wall / len(self._cores) if wall > 0 else None
        self.found["gpu"] = gpu_state(self._gpu) if self._gpu is not None else None
        self.found["warnings"] = warnings(self.found, most, on_gpu=self._gpu is not None)

    def _spent(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def _steal(self) -> float:
        """Seconds that the hypervisor has kept from our cores; 0 where the system does not count them."""
        import psutil

        every = psutil.cpu_times(percpu=True)
        return sum(float(getattr(every[core], "steal", 0.0)) for core in self._cores if core < len(every))


def warnings(found: dict[str, Any], most_mhz: float | None, *, on_gpu: bool = False) -> list[str]:
    """What a reader must know of the times taken under these conditions."""
    load, share, stolen = found["load"], found["cpu_share"], found["steal_share"]
    slowest, device = found["slowest_mhz"], found["gpu"]
    # On a GPU the process may sleep while the device works: its share says nothing there.
    waited = share is not None and share < LEAST_SHARE and not on_gpu
    crowded = load is not None and load > (os.cpu_count() or 1) + SPARE_LOAD
    slow = bool(slowest and most_mhz and slowest < LEAST_CLOCK * most_mhz) or bool(device and device["slowed_by"])
    named = {
        "busy": waited or crowded,
        "stolen": stolen is not None and stolen > MOST_STOLEN,
        "throttled": slow,
    }
    return [name for name, so in named.items() if so]


def _number(path: Path) -> int | None:
    """The whole number in a file of the system; None where there is none."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def _cpu() -> str:
    """The processor's model name."""
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    if platform.system() == "Darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return platform.processor() or platform.machine()


def _clock(cores: list[int]) -> tuple[float | None, float | None]:
    """Clock of the slowest of these cores and its maximum in MHz; None for what the system does not say."""
    import psutil

    try:
        every = psutil.cpu_freq(percpu=True) or []
    except (NotImplementedError, OSError, RuntimeError):
        every = []
    known = [every[core] for core in cores if core < len(every)] or list(every)[:1]
    if not known:
        return None, None
    slowest = min(known, key=lambda one: one.current)
    return slowest.current or None, slowest.max or None


def _query(*names: str, of: str | None = None) -> list[list[str]]:
    """One list of texts a GPU; empty where there is no driver, or where it does not answer."""
    command = ["nvidia-smi", f"--query-gpu={','.join(names)}", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(
            [*command, *([f"--id={of}"] if of else [])], capture_output=True, text=True, check=True, timeout=30
        )
    except (OSError, subprocess.SubprocessError):
        return []
    lines = [[part.strip() for part in line.split(",")] for line in answer.stdout.splitlines() if line.strip()]
    return [line for line in lines if len(line) == len(names)]


def _whole(text: str, unit: int = 1) -> int | None:
    """A whole number in units, None where the driver does not know it."""
    return int(text) * unit if text.isdigit() else None
