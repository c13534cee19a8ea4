"""The NVIDIA GPUs of this machine, asked of their driver: no framework is imported for it, and no setting changed."""

from __future__ import annotations

import os
import subprocess
from typing import Any

SLOWED = {
    0x08: "hardware slowdown",
    0x20: "software thermal slowdown",
    0x40: "hardware thermal slowdown",
    0x80: "power brake",
}
"""Bits of the driver's clock event reasons that mean a slower clock than the workload would have got."""


def visible() -> list[str]:
    """What ``CUDA_VISIBLE_DEVICES`` must be for each GPU that this process may use; empty where there is none."""
    indices = [line[0] for line in _query("index")]
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is None or not indices:
        return indices
    return [name.strip() for name in chosen.split(",") if name.strip() not in ("", "-1")]


def describe() -> dict[str, Any] | None:
    """Kind, memory in bytes and number of GPUs; None where there is none. No serial number or address."""
    rows = _query("name", "memory.total")
    if not rows:
        return None
    name, mebibytes = rows[0]
    return {"name": name, "memory_bytes": _whole(mebibytes, 1 << 20), "count": len(rows)}


def driver() -> str | None:
    """Version of the driver; None where there is none. Machines of one kind differ in it: it is no part of theirs."""
    rows = _query("driver_version")
    return rows[0][0] if rows else None


def state(visible_as: str) -> dict[str, Any] | None:
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
