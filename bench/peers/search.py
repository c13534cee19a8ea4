"""The search: of every contender of a cell the cheapest options whose gradient error reaches the level.

First the number of steps K that every contender's forward solve makes: the least that leave room for an error of the
backward solve, found in float64 with the definitions of the oracles, so that all have the same. Then on each ladder of
options the first rung that is right enough, found by doubling and halving; those of all ladders are timed side by side.
"""

from __future__ import annotations

import functools
import math
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bench.cells import Value
from bench.failures import NotApplicable, failure
from bench.instruments.accuracy import error
from bench.instruments.timing import Call, rounds
from bench.peers.cells import PeerCell
from bench.peers.contenders import Contender, Ladder, Options, contenders, ladders
from bench.peers.perform import PeerProblem
from bench.peers.settings import Setting

BUDGET_S = 0.5
"""Seconds of timed rounds between the candidates of one contender."""


FORWARD_STEPS = (1, 2, 3, 5, 8, 12, 20, 30, 45, 70, 100, 150, 200, 300)
SHARE = 1 / 3
"""Of the level, that the forward solve may leave."""


class ForwardSteps(NamedTuple):
    """implicit: K of IFT and JFB. unrolled: K of unrolled differentiation, whose own derivative converges later.
    jfb_error: the gradient error that JFB has at that K, exactly solved or not."""

    implicit: int
    unrolled: int
    jfb_error: float


def forward_steps(problem: Any, level: float) -> ForwardSteps:
    """Of an implicit problem at a level of gradient error; ``ValueError`` where none of ``FORWARD_STEPS`` is enough."""
    from impls import oracles

    reference = oracles.flat(oracles.reference(problem))

    def unrolled(K: int) -> float:
        return error(oracles.flat(oracles.gradient(problem, "unrolled", K=K)), reference)

    left = _implicit_errors(problem, reference, level)
    implicit = next((K for K, one in zip(FORWARD_STEPS, left, strict=True) if one <= SHARE * level), None)
    longer = next((K for K in FORWARD_STEPS if (implicit or 1) <= K and unrolled(K) <= SHARE * level), None)
    if implicit is None or longer is None:
        raise ValueError(
            f"{FORWARD_STEPS[-1]} forward steps do not bring the gradient within a third of {level:g}: "
            "take a smaller gamma."
        )
    jfb = oracles.flat(oracles.gradient(problem, "jfb", K=implicit))
    return ForwardSteps(implicit, longer, error(jfb, reference))


def _implicit_errors(problem: Any, reference: Any, level: float) -> Any:
    """The error of IFT with an exact backward solve at each K of ``FORWARD_STEPS``, one after the other."""
    from impls import oracles

    model = oracles.MODELS[problem.name](problem)
    z, made = model.z0, 0
    for K in FORWARD_STEPS:
        while made < K - 1:
            z, made = model.step(z)[0], made + 1
        fz, pull = model.step(z)
        _, g, readout = model.loss(fz)
        w, moved = g, np.inf
        while moved > 1e-3 * level:
            last, w = w, g + pull(w)[0]
            moved = float(np.linalg.norm(w - last) / np.linalg.norm(w))
        yield error(oracles.flat({**model.encode(pull(w)[1]), **readout}), reference)


class Climb:
    """Tries options of one contender and keeps what it learns. guesses: of each sequence of rungs the last that was
    found in this cell, by whomever: the others' is near."""

    def __init__(
        self,
        problem: PeerProblem,
        contender: Contender,
        K: int | None,
        level: float,
        guesses: dict[tuple[Value, ...], int],
    ) -> None:
        self._problem, self._contender, self._K, self._level, self._guesses = problem, contender, K, level, guesses
        self.best, self.reason = math.inf, ""
        self.good: list[tuple[Options, float, Call]] = []

    def up(self, ladder: Ladder) -> None:
        """Find the first rung that is right enough, if one is, and add it to ``good``."""
        calls: dict[int, Call] = {}
        traced = ladder.traced and self._problem.framework.name == "jax"
        found = self._problem.tried(self._contender, self._K, ladder.fixed, ladder.name) if traced else None

        def right(index: int) -> bool:
            if found is not None:
                return self._error(lambda: found(ladder.values[index])) <= self._level
            calls[index] = call = self._lazy(ladder[index])
            return self._error(call) <= self._level

        rungs = tuple(ladder.values)
        index = first(right, len(ladder), self._guesses.get(rungs, 0))
        if index is None:
            return
        self._guesses[rungs] = index
        for one in range(index, min(index + 2, len(ladder))):
            call = calls.get(one) or self._lazy(ladder[one])
            if (error := self._error(call)) <= self._level:  # compiled for one value alone, it may round otherwise
                self.good.append((ladder[one], error, call))
                return

    def _lazy(self, options: Options) -> Call:
        """The call, built and compiled when it is first made."""
        made = functools.cache(lambda: self._problem.call(self._contender, self._K, options))
        return lambda: made()()

    def _error(self, call: Call) -> float:
        """The gradient error of a call; infinite where it raises, for the reason that is kept."""
        try:
            error = self._problem.error(self._contender, self._problem.sync(call()))
        except NotApplicable:
            raise
        except Exception as one:
            self.reason = ": ".join(failure(one))
            return math.inf
        self.best = min(self.best, error) if math.isfinite(error) else self.best
        return error if math.isfinite(error) else math.inf

    def cheapest(self) -> tuple[Options, float] | None:
        """The options of least median seconds, with their error; None where none reached the level."""
        if not self.good:
            return None
        calls = {str(index): call for index, (_, _, call) in enumerate(self.good)}
        winner = "0"
        if len(calls) > 1:
            taken = rounds(calls, sync=self._problem.sync, budget_s=BUDGET_S, least=3, most=15)
            winner = min(taken, key=lambda name: statistics.median(taken[name].wall))
        options, error, _ = self.good[int(winner)]
        return options, error


def first(right: Callable[[int], bool], count: int, guess: int = 0) -> int | None:
    """The least index below ``count`` that is right, if all after it are; None where not even the last is. It looks at
    ``guess`` first, goes from there by doubling, and then halves."""
    wrong, good, reach, index = -1, count, 1, min(guess, count - 1)
    while good - wrong > 1:
        if right(index):
            good = index
        else:
            wrong = index
        if good == count:
            index = min(wrong + reach, count - 1)
        elif wrong == -1:
            index = max(good - reach, 0)
        else:
            index = (wrong + good) // 2
        reach *= 2
    return good if good < count else None


def search(cell: PeerCell, framework: str, device: str, scratch: Path, package: str | None = None) -> list[Setting]:
    """A line for every contender of a cell, or for those of one library."""
    problem = PeerProblem(cell, framework, device, scratch)
    steps = None if cell.problem == "mlp" else forward_steps(problem.problem, cell.level)
    guesses: dict[tuple[Value, ...], int] = {}
    chosen = [one for one in contenders(cell, framework) if package in (None, one.package)]
    return [_line(problem, one, steps, guesses) for one in chosen]


def _line(
    problem: PeerProblem, contender: Contender, steps: ForwardSteps | None, guesses: dict[tuple[Value, ...], int]
) -> Setting:
    K, level = target(contender, problem.cell.level, steps)
    facts: dict[str, Any] = {
        "cell": problem.cell.name,
        "framework": problem.framework.name,
        "contender": contender.name,
    }
    facts |= {"method": contender.method, "K": K, "level": level, "package": contender.version}
    climb = Climb(problem, contender, K, level, guesses)
    try:
        for ladder in ladders(contender, problem.framework.name, problem.cell):
            climb.up(ladder)
        found = climb.cheapest()
    except NotApplicable as error:
        return Setting(**facts, status="n/a", reason=str(error))
    except ValueError as error:
        return Setting(**facts, status="failed", reason=str(error))
    if found is not None:
        return Setting(**facts, status="ok", options=found[0], error=rounded(found[1]))
    best = rounded(climb.best) if math.isfinite(climb.best) else None
    reason = f"The best gradient error is {best}, not {level:g}." if best is not None else climb.reason
    return Setting(**facts, status="failed", reason=reason, error=best)


def target(contender: Contender, level: float, steps: ForwardSteps | None) -> tuple[int | None, float]:
    """K and the error to be reached. JFB has an error of its own at any K; what is added to it is at most the level."""
    if steps is None:
        return None, level
    if contender.method == "jfb":
        return steps.implicit, float(f"{steps.jfb_error + level:.6g}")
    return (steps.unrolled if contender.method == "unrolled" else steps.implicit), level


def rounded(value: float) -> float:
    """To three digits: further ones depend on the processor."""
    return float(f"{value:.3g}")
