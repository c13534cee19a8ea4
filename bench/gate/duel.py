"""Two live worker processes, one a side, that take turns call by call on one core."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

from bench.cells import Cell
from bench.processes import Lost, Worker

SIDES = ("base", "head")
BLOCK_S = 4e-3
"""Least seconds of a timed block: what starting and stopping the clock costs is far below the noise then."""

BUDGET_S = 0.7
LEAST, MOST = 9, 61
"""Seconds of turns of a pair of processes, and bounds of the number of rounds."""

Clock = Callable[[], float]
Samples = dict[str, dict[str, list[float]]]


class Failed(Exception):
    """A side gave no time: its name, status and reason."""

    def __init__(self, name: str, status: str, reason: str) -> None:
        super().__init__(f"{name}: {status}: {reason}")
        self.name, self.status, self.reason = name, status, reason


def duel(
    workers: Mapping[str, Worker],
    cell: Cell,
    *,
    scratch: str,
    timeout_s: float,
    budget_s: float = BUDGET_S,
    clock: Clock = time.perf_counter,
) -> Samples:
    """Seconds of each side's forward and gradient call, round by round.

    A round asks both sides for one block of forwards, then both for one of gradients. Who comes first changes from
    round to round, and nothing else does: what a turn leaves behind for the next one meets both sides alike. Rounds are
    made until ``budget_s`` seconds have passed.
    Raises ``Failed`` for a side that does not come through.
    """

    def ask(name: str, message: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = workers[name].ask(message, timeout_s)
        except Lost as lost:
            raise Failed(name, lost.status, lost.reason) from None
        if answer["status"] != "ok":
            raise Failed(name, answer["status"], answer["reason"])
        return answer

    prepare = {"live": "prepare", "cell": cell.as_json(), "scratch": scratch}
    warm = {name: ask(name, prepare) for name in workers}
    calls = {
        which: math.ceil(BLOCK_S / max(min(warm[name][f"{which}_s"] for name in SIDES), 1e-6))
        for which in ("forward", "gradient")
    }
    found: Samples = {name: {"forward_s": [], "gradient_s": []} for name in SIDES}
    begun, rounds = clock(), 0
    while rounds < MOST and (rounds < LEAST or clock() - begun < budget_s):
        for which in ("forward", "gradient"):
            for name in SIDES[::-1] if rounds % 2 else SIDES:
                turn = {"live": "turn", "turn": {"which": which, "calls": calls[which]}}
                found[name][f"{which}_s"].append(ask(name, turn)["seconds"])
        rounds += 1
    return found


def ratios(samples: Samples) -> dict[str, float]:
    """What one pair of processes says: head ÷ base of the forward and of the gradient call, the median over rounds,
    whose halves were taken at nearly the same moment; and of R, the quotient of the two."""
    base, head = (samples[name] for name in SIDES)
    forward, gradient = (
        statistics.median(after / before for before, after in zip(base[kind], head[kind], strict=True))
        for kind in ("forward_s", "gradient_s")
    )
    return {"forward": forward, "gradient": gradient, "R": gradient / forward}
