"""Under what conditions a visit was timed: how much of the core it really had, and how fast the core ran."""

from __future__ import annotations

import os
import time
from types import TracebackType
from typing import Any

from bench.instruments import gpu, machine

LEAST_SHARE = 0.9
"""Of the wall time, how much the process must have computed: less means that it waited for a core."""

MOST_STOLEN = 0.05
"""Of the wall time, how much a hypervisor may have given to other guests."""

SPARE_LOAD = 1
"""How far the load may stand above the number of cores: the measuring processes alone make up that number."""

LEAST_CLOCK = 0.75
"""Of the largest clock: what a core or GPU must run at, as in NVIDIA's nvbench."""


class Watch:
    """A context manager around timed calls; afterwards ``found`` holds what psutil and the driver saw meanwhile.

    load: 1-minute average at the start. affinity: cores that the process may use. cpu_share: its cpu seconds ÷ wall
    seconds. steal_share: the hypervisor's share of these cores. frequency_mhz, slowest_mhz: of the core, at the start
    and the lower of both ends; None where the system does not say. gpu: see ``gpu.state``, right after the calls.
    warnings: "busy", "stolen", "throttled".
    """

    def __init__(self, visible_gpu: str | None = None) -> None:
        self._gpu = visible_gpu
        self.found: dict[str, Any] = {}

    def __enter__(self) -> Watch:
        import psutil

        self._process = psutil.Process()
        self._cores = machine.available_cores()
        self.found = {"load": machine.load(), "affinity": self._cores, "frequency_mhz": _clock(self._cores)[0]}
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
        self.found["gpu"] = gpu.state(self._gpu) if self._gpu is not None else None
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
