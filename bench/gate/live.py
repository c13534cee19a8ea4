"""A cell that stays built in its worker process, so that its calls can be asked for one turn at a time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.instruments.timing import block
from bench.visit import Job, failure

WARM = 2
"""Blocks of each call before any counts: allocators, lazily loaded kernels, first-call compilation."""


class Live:
    """Answers the gate's two kinds of message: ``{"live": "prepare", …}`` and ``{"live": "turn", …}``.

    A message that something goes wrong with is answered with a status and a reason, as a visit is.
    """

    def __init__(self) -> None:
        self._job: Job | None = None

    def __call__(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one message."""
        try:
            done = self._prepare(message) if message["live"] == "prepare" else self._turn(**message["turn"])
        except Exception as error:
            status, reason = failure(error)
            return {"status": status, "reason": reason}
        return {"status": "ok", "reason": "", **done}

    def _prepare(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Build the cell, whose gradient an exact visit has checked, and warm it up: seconds of either call."""
        from bench.build import build
        from bench.cells import Cell

        self._job = build(Cell(**message["cell"]), Path(message["scratch"]))
        for _ in range(WARM):
            found = {f"{which}_s": self._turn(which)["seconds"] for which in ("forward", "gradient")}
        return found

    def _turn(self, which: str, calls: int = 1) -> dict[str, Any]:
        """Seconds a call, of so many in a row."""
        assert self._job is not None, "a turn before the cell was prepared"
        call = {"forward": self._job.forward, "gradient": self._job.gradient}[which]
        return {"seconds": block(call, sync=self._job.sync, calls=calls)}
