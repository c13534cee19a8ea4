"""Two live worker processes, one a side, that take turns call by call on one core: what they are asked, what they
answer, and the row that comes of it."""

from __future__ import annotations

import math
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import stats
from bench.cells import Cell
from bench.failures import failure
from bench.gate.sides import Side
from bench.instruments.timing import block, processor_clock
from bench.job import Job
from bench.plan import Visit
from bench.processes import Launch, Lost, Task, Worker
from bench.rows import Samples, TurnsRow, made
from bench.run import Seat, Visits

SIDES = ("base", "head")
FIRST, MORE, AGAIN, CONTROL = "first", "more", "again", "control"
"""What turns are for: a first comparison of every cell, as many pairs more of what is not clear, another comparison of
what is worse, and base set against itself."""

WARM = 2
"""Blocks of each call before any counts: allocators, lazily loaded kernels, first-call compilation."""

BLOCK_S = 4e-3
"""Least seconds of a timed block: what starting and stopping the clock costs is far below the noise then."""

BUDGET_S = 0.7
LEAST, MOST = 9, 61
"""Seconds of turns of a pair of processes, and bounds of the number of rounds."""

Clock = Callable[[], float]


class Failed(Lost):
    """A side gave no time: its name, status and reason."""

    def __init__(self, side: str, status: str, reason: str) -> None:
        super().__init__(status, reason)
        self.side = side

    @property
    def answer(self) -> dict[str, Any]:
        """What stands for the answer that did not come."""
        return {**super().answer, "side": self.side, "samples": {}}


class Turns(Visits):
    """A visit is a pair of processes that take turns: its worker is the number of the pair, its measure what the turns
    are for."""

    gives_up = False  # a side that fails once may have met another's memory: every pair is tried

    def __init__(
        self,
        sides: Mapping[str, Side],
        launches: Mapping[str, Launch],
        *,
        run: str,
        scratch: str,
        budget_s: float,
        memory_bytes: int | None,
    ) -> None:
        self._sides, self._launches, self._name = sides, launches, run
        self._scratch, self._budget_s, self._task = scratch, budget_s, Task("time", memory_bytes=memory_bytes)

    def seats(self, visit: Visit) -> Mapping[str, Seat]:
        """One process a side; neither is always the first to start."""
        found = {}
        for name in SIDES if visit.worker % 2 else SIDES[::-1]:
            own = "base" if visit.measure == CONTROL else name
            side = self._sides[own]
            found[name] = Seat(self._launches[own], self._task, side.digest, side.name)
        return found

    def ask(self, workers: Mapping[str, Worker], visit: Visit, timeout_s: float) -> dict[str, Any]:
        """The seconds of both sides. ``timeout_s`` is for each answer."""
        assert isinstance(visit.cell, Cell)
        samples = take_turns(workers, visit.cell, scratch=self._scratch, timeout_s=timeout_s, budget_s=self._budget_s)
        return {"status": "ok", "side": None, "reason": "", "samples": samples}

    def row(self, visit: Visit, answer: Mapping[str, Any], core: int | None, seconds: float) -> TurnsRow:
        """The row of a pair of processes."""
        fields = {
            "run": self._name,
            "cell": visit.cell.id,
            "stage": visit.measure,
            "pair": visit.worker,
            "core": core,
            **answer,
            "seconds": round(seconds, 3),
        }
        return made(TurnsRow, fields)


def take_turns(
    workers: Mapping[str, Worker],
    cell: Cell,
    *,
    scratch: str,
    timeout_s: float,
    budget_s: float = BUDGET_S,
    clock: Clock = time.perf_counter,
) -> dict[str, Samples]:
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
    found: dict[str, dict[str, list[float]]] = {name: defaultdict(list) for name in SIDES}
    begun, rounds = clock(), 0
    while rounds < MOST and (rounds < LEAST or clock() - begun < budget_s):
        for which in ("forward", "gradient"):
            for name in SIDES[::-1] if rounds % 2 else SIDES:
                turn = {"live": "turn", "turn": {"which": which, "calls": calls[which]}}
                answer = ask(name, turn)
                found[name][f"{which}_s"].append(answer["seconds"])
                if "cpu_seconds" in answer:
                    found[name][f"{which}_cpu_s"].append(answer["cpu_seconds"])
        rounds += 1
    return {name: Samples(**samples) for name, samples in found.items()}


def by_one_clock(samples: Mapping[str, Samples]) -> dict[str, tuple[Sequence[float], Sequence[float]]]:
    """Of each side the seconds of its forwards and gradient calls, by the clock that both are compared by."""
    chosen = stats.clock(samples.values())
    return {name: stats.seconds(one, chosen) for name, one in samples.items()}


def ratios(samples: Mapping[str, Samples]) -> dict[str, float]:
    """What one pair of processes says: head ÷ base of the forward and of the gradient call, the median over rounds,
    whose halves were taken at nearly the same moment; and of R, the quotient of the two."""
    base, head = (by_one_clock(samples)[name] for name in SIDES)
    forward, gradient = (
        statistics.median(after / before for before, after in zip(*one, strict=True))
        for one in zip(base, head, strict=True)
    )
    return {"forward": forward, "gradient": gradient, "R": gradient / forward}


class Prepared:
    """The worker's side: a cell that stays built, so that its calls can be asked for one turn at a time.

    Answers two kinds of message: ``{"live": "prepare", …}`` and ``{"live": "turn", …}``. One that something goes wrong
    with is answered with a status and a reason, as a visit is.
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
        from bench.subjects import build

        self._job = build(Cell(**message["cell"]), Path(message["scratch"]))
        for _ in range(WARM):
            found = {f"{which}_s": self._turn(which)["seconds"] for which in ("forward", "gradient")}
        return found

    def _turn(self, which: str, calls: int = 1) -> dict[str, Any]:
        """Seconds a call, of so many in a row, by each clock."""
        assert self._job is not None, "a turn before the cell was prepared"
        call = {"forward": self._job.forward, "gradient": self._job.gradient}[which]
        cpu_clock = processor_clock(self._job.cell.device)
        wall_s, cpu_s = block(call, sync=self._job.sync, cpu_clock=cpu_clock, calls=calls)
        return {"seconds": wall_s} | ({"cpu_seconds": cpu_s} if cpu_clock else {})
