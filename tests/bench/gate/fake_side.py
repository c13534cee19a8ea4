"""A worker process that measures nothing: what each method comes to is written in its side's ``impls/orders.json``.

A value is a number, or a list of which each process that is started takes the next one, the last one again and again.
The process of tests can play the part too (``harness.without_processes``), where it does not matter that a worker is a
process.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

PATH = Path(__file__).resolve().parents[3] / "bench" / "worker.py"


def orders(side: Path, method: str) -> dict[str, Any]:
    """What is to be done for a method."""
    found = {"forward_s": 0.01, "gradient_s": 0.02, "status": "ok", "values": {}, "error": 1e-3, "dies": 0}
    return found | json.loads((side / "impls" / "orders.json").read_text()).get(method, {})


class Live:
    """Answers the gate's messages with the seconds that it was told."""

    def __init__(self, side: Path) -> None:
        self._side = side
        self._orders: dict[str, Any] = {}
        self._nth = 0

    def __call__(self, job: dict[str, Any]) -> dict[str, Any]:
        if job["live"] == "prepare":
            self._orders = orders(self._side, job["cell"]["method"])
            log = self._side / "prepared"
            self._nth = len(log.read_text().split()) if log.exists() else 0
            with log.open("a") as file:
                file.write(f"{os.getpid()}\n")
            if self._take("dies"):
                self.die()
            return {"status": "ok", "reason": "", "forward_s": self._take("forward_s"), "gradient_s": 1.0}
        return {"status": "ok", "reason": "", "seconds": self._take(f"{job['turn']['which']}_s")}

    def die(self) -> None:
        """End this process."""
        os._exit(3)

    def _take(self, name: str) -> Any:
        value = self._orders[name]
        return value[min(self._nth, len(value) - 1)] if isinstance(value, list) else value


def visit(side: Path, job: dict[str, Any]) -> dict[str, Any]:
    """An exact visit."""
    told = orders(side, job["cell"]["method"])
    status = told.get("status32" if job["cell"]["dtype"] == "float32" else "status64", told["status"])
    values = {"peak_bytes": 100, "flops": 1000, "gradient_error": told["error"], **told["values"]}
    return {"status": status, "reason": told.get("reason", "as told"), "samples": {}, "values": values}


def answers(side: Path, live: Live) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """What a worker of a side answers."""
    return lambda job: live(job) if "live" in job else visit(side, job)


def ready(side: Path) -> dict[str, Any]:
    """What it says first."""
    from bench.instruments import sources

    return {"ready": True, "impls": sources.digest(side / "impls"), "versions": {"python": "3"}}


def main() -> None:
    """Start as the real worker does."""
    spec = importlib.util.spec_from_file_location("real_worker", PATH)
    assert spec is not None and spec.loader is not None
    real = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(real)
    out = real.claim_stdout()
    real.load_bench()
    side = Path(os.environ["PYTHONPATH"])
    real.say(out, ready(side))
    real.serve(answers(side, Live(side)), out)


if __name__ == "__main__":
    sys.exit(main())
