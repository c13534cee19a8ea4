"""The calls of one cell's contenders in one framework: the error of their gradients, and their seconds side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bench.instruments.accuracy import error
from bench.instruments.timing import Call, rounds
from bench.job import flat, framework_of
from bench.peers import ours
from bench.peers.cells import PeerCell
from bench.peers.contenders import Contender, gradient
from bench.subjects import CatalogueProblem


class PeerProblem(CatalogueProblem):
    """The problem of one cell, and its contenders' calls. scratch: where the workers of one run share the reference."""

    def __init__(self, cell: PeerCell, framework: str, device: str, scratch: Path) -> None:
        super().__init__(cell.make(), framework_of(framework, device), cell.dtype, scratch=scratch)
        self.cell, self.sync = cell, self.framework.sync

    def call(self, contender: Contender, K: int | None, options: Mapping[str, Any]) -> Call:
        """A contender's call, jitted in jax with every array as an argument."""
        fn = gradient(contender, self.framework.name, self.cell, K, options)
        found: Call = self.framework.gradient(fn, self.params, self.batch, self.framework.rng(0))[0]
        return found

    def tried(self, contender: Contender, K: int | None, fixed: Mapping[str, Any], name: str) -> Callable[[Any], Any]:
        """fn(value) -> what the contender's call returns with the option ``name`` at that value; compiled once."""
        import jax

        def fn(params: Any, batch: Any, rng: Any, value: Any) -> Any:
            return gradient(contender, "jax", self.cell, K, {**fixed, name: value})(params, batch, rng)

        compiled = jax.jit(fn)
        return lambda value: compiled(self.params, self.batch, self.framework.rng(0), value)

    def forward(self, K: int | None) -> Call:
        """Our value alone, with no gradient recorded."""
        fn = ours.forward(self.framework.name, self.cell, K)
        found: Call = self.framework.forward(fn, self.params, self.batch)
        return found

    def error(self, contender: Contender, result: Any) -> float:
        """‖g − g_ref‖/‖g_ref‖ of what a call returned; of an estimate along a random tangent, how far it is off that
        tangent's law. A training step's new parameters tell its gradient."""
        found = flat(self.framework, result[1])
        if contender.method == "step":
            found = (flat(self.framework, self.params) - found) / ours.RATE
        if contender.method in ("forward_gradient", "step") and "backprop" not in contender.kind:
            return off_law(found, self.reference())
        return error(found, self.reference())


def off_law(estimate: np.ndarray, true: np.ndarray) -> float:
    """|n ⟨ĝ, ∇L⟩/‖ĝ‖² − 1| of an estimate ĝ = (∇L·v) v by one tangent v of length √n.

    ⟨ĝ, ∇L⟩ = (∇L·v)² and ‖ĝ‖² = (∇L·v)² ‖v‖², so it is |n/‖v‖² − 1|: 0 for signs, about √(2/n) for gaussians. A vector
    that is no such estimate is far off.
    """
    square = float(estimate @ estimate)
    return abs(len(true) * float(estimate @ true) / square - 1) if square > 0 else float("inf")


# Seconds ---------------------------------------------------------------------------------------------------------

BUDGET_S = 0.7
LEAST = 3
MOST = 31
"""Seconds and numbers of rounds in one worker process; what counts is the spread between processes."""

SLOW_LEAST = 2
SLOW_S = 0.05
SLOW_RATIO = 5.0
"""A contender that takes more than this many seconds, and this many times what it is divided by, is slow."""

Rounds = dict[str, list[float]]


def seconds_once(call: Call, sync: Callable[[Any], Any]) -> float:
    """Seconds of one warm call, to tell the slow ones."""
    begun = time.perf_counter()
    sync(call())
    return time.perf_counter() - begun


def side_by_side(
    calls: Mapping[str, Call], base_of: Mapping[str, str], *, sync: Callable[[Any], Any], forwards: Mapping[str, Call]
) -> dict[str, tuple[Rounds, str]]:
    """Of every name in ``calls`` the rounds that it took part in, and the name that it is divided by, which took part
    in the same ones. base_of: that name, itself included. ``forwards`` are timed beside them and come out likewise.

    All are interleaved; the slow ones have rounds of their own beside what they are divided by, so that they do not
    take the time of all others.
    """
    once = {name: seconds_once(call, sync) for name, call in calls.items()}
    slow = [name for name in calls if once[name] > max(SLOW_S, SLOW_RATIO * once.get(base_of[name], 0.0))]
    quick = {name: call for name, call in calls.items() if name not in slow} | dict(forwards)
    taken = rounds(quick, sync=sync, budget_s=BUDGET_S, least=LEAST, most=MOST)
    found = {name: (taken, base_of.get(name, name)) for name in quick}
    for name in slow:
        beside = {one: calls[one] for one in (base_of[name], name) if one in calls}
        found[name] = (rounds(beside, sync=sync, budget_s=0.0, least=SLOW_LEAST, most=SLOW_LEAST), base_of[name])
    return found
