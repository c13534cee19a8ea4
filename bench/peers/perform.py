"""The peers' bench as an experiment: one part is all contenders of one cell in one process; and the table of a run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bench import tables
from bench.cells import MODES
from bench.experiments.catalog import PROCESS, Experiment, Place, Record
from bench.failures import failure
from bench.instruments.accuracy import error
from bench.instruments.timing import Call, by_one_clock, processor_clock, rounds
from bench.job import flat, framework_of
from bench.peers import ours
from bench.peers.cells import PeerCell, cells, named
from bench.peers.contenders import BASES, Contender, contenders, gradient
from bench.peers.settings import Setting, of_cell
from bench.plan import Part
from bench.rows import PartRow
from bench.stats import centre, worker_ratio
from bench.subjects import CatalogueProblem

SLACK = 1.02
"""Another processor rounds otherwise than the one that the search ran on."""

SEARCH = "search"
"""A setting of a part that looks for options instead of timing them."""

LIBRARY = "library"
"""A setting of such a part: of which library alone."""


class Peers(Experiment):
    """Seconds against seconds; there are no cells."""

    def parts(self, size: str, data: bool) -> list[Part]:
        """One worker's parts of a preset."""
        return parts_of(cells(size), range(1))

    def perform(self, part: Part, place: Place) -> list[Record]:
        """A record a contender: ``cell``, ``contender``, ``method``, ``options`` as text and ``K``; ``error`` and the
        ``level`` that it has to reach; ``status`` ok, failed or n/a with its ``reason``, and then no time.

        ``seconds``: the median over rounds. ``forward_seconds``: of our value alone at that K, so that ``seconds`` ÷ it
        is the median over rounds of that ratio. ``ratio``: the same of the seconds of ours of that method ÷ its own.
        ``flop_ratio``: of ours, where one is derived by hand. ``package``: the library with its version. A part that
        searches has the lines of the settings instead.
        """
        cell = named(str(part.settings["cell"]))
        if SEARCH in part.settings:
            from bench.peers.search import search

            package = str(part.settings[LIBRARY]) if LIBRARY in part.settings else None
            return [one.as_record() for one in search(cell, part.framework, part.device, place.scratch, package)]
        problem, settings = PeerProblem(cell, part.framework, part.device, place.scratch), of_cell(cell, part.framework)
        found: dict[str, Record] = {}
        calls: dict[str, Call] = {}
        for contender in contenders(cell, part.framework):
            found[contender.name], call = ready(problem, contender, settings.get(contender.name))
            if call is not None:
                calls[contender.name] = call
        _timed(problem, found, calls)
        return list(found.values())

    def memory_bytes(self, size: str) -> int:
        """A process with the states of the longest unrolled solve, or a dense matrix of each sample."""
        return PROCESS + 2_000_000_000


def parts_of(
    chosen: Sequence[PeerCell], workers: Sequence[int], frameworks: Sequence[str] = tuple(MODES)
) -> list[Part]:
    """A part a cell, framework and worker."""
    return [
        Part("peers", framework, {"cell": cell.name}, worker, dtype=cell.dtype)
        for framework in frameworks
        for worker in workers
        for cell in chosen
    ]


def ready(problem: PeerProblem, contender: Contender, setting: Setting | None) -> tuple[Record, Call | None]:
    """The record of a contender with no time yet, and its call where its gradient is right enough."""
    record: Record = {"cell": problem.cell.name, "contender": contender.name, "method": contender.method}
    record |= {
        "options": setting.words if setting else "",
        "K": setting.K if setting else None,
        "level": setting.level if setting else None,
    }
    record |= {"error": None, "seconds": None, "forward_seconds": None, "ratio": None, "flop_ratio": None}
    record |= {"status": "failed", "reason": "", "package": contender.version}
    if setting is None:
        return record | {"reason": "settings.jsonl has no line for it: run `gradratio peers --search`."}, None
    if setting.status == "failed":
        return record | {"error": setting.error, "reason": setting.reason}, None
    try:
        call = problem.call(contender, setting.K, setting.options)
        off = problem.error(contender, problem.sync(call()))
    except Exception as one:
        status, reason = failure(one)
        return record | {"status": "n/a" if status == "n/a" else "failed", "reason": reason}, None
    if not off <= SLACK * setting.level:
        return record | {"error": off, "reason": f"The gradient error is {off:.3g}, not {setting.level:g}."}, None
    ratio = flop_ratio(problem.problem, contender, setting)
    return record | {"status": "ok", "error": off, "flop_ratio": ratio}, call


def _timed(problem: PeerProblem, found: Mapping[str, Record], calls: Mapping[str, Call]) -> None:
    """Fill in the seconds and ratios of those that have a call."""
    if not calls:
        return
    forwards = {f"forward {K}": problem.forward(K) for K in {found[name]["K"] for name in calls}}
    base_of = {name: BASES[found[name]["method"]] for name in calls}
    taken = side_by_side(calls, base_of, sync=problem.sync, device=problem.device, forwards=forwards)
    for name in calls:
        record, (taken_s, base) = found[name], taken[name]
        record["seconds"] = statistics.median(taken_s[name])
        forward = f"forward {record['K']}"
        beside = taken_s if forward in taken_s else taken[forward][0]
        shared = min(len(taken_s[name]), len(beside[forward]))
        record["forward_seconds"] = record["seconds"] / worker_ratio(beside[forward][:shared], taken_s[name][:shared])
        if base in taken_s:
            record["ratio"] = worker_ratio(taken_s[name], taken_s[base])


def flop_ratio(problem: Any, contender: Contender, setting: Setting) -> float | None:
    """The flops that our method takes at least, over those of the forward; None for others' and for steps."""
    from bench.work import flop_ratio as derived

    if contender.maker != "ours" or contender.method == "step":
        return None
    taken: dict[str, Any] = {} if setting.K is None else {"K": setting.K, "solver": "picard", **setting.options}
    if "factored" in contender.name:
        taken["tangents"] = "factored"
    return derived(problem, contender.method, taken)


# The calls of one cell in one framework, and their seconds side by side -----------------------------------------


class PeerProblem(CatalogueProblem):
    """The problem of one cell, and its contenders' calls. scratch: where the workers of one run share the reference."""

    def __init__(self, cell: PeerCell, framework: str, device: str, scratch: Path) -> None:
        super().__init__(cell.make(), framework_of(framework, device), cell.dtype, scratch=scratch)
        self.cell, self.sync, self.device = cell, self.framework.sync, device

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
    calls: Mapping[str, Call],
    base_of: Mapping[str, str],
    *,
    sync: Callable[[Any], Any],
    device: str,
    forwards: Mapping[str, Call],
) -> dict[str, tuple[Rounds, str]]:
    """Of every name in ``calls`` the rounds that it took part in, and the name that it is divided by, which took part
    in the same ones. base_of: that name, itself included. ``forwards`` are timed beside them and come out likewise.

    All are interleaved; the slow ones have rounds of their own beside what they are divided by, so that they do not
    take the time of all others.
    """
    once = {name: seconds_once(call, sync) for name, call in calls.items()}
    slow = [name for name in calls if once[name] > max(SLOW_S, SLOW_RATIO * once.get(base_of[name], 0.0))]
    quick = {name: call for name, call in calls.items() if name not in slow} | dict(forwards)
    timed = partial(rounds, sync=sync, cpu_clock=processor_clock(device))
    apart = {name: {one: calls[one] for one in (base_of[name], name) if one in calls} for name in slow}
    taken, *slowly = by_one_clock(
        timed(quick, budget_s=BUDGET_S, least=LEAST, most=MOST),
        *(timed(beside, budget_s=0.0, least=SLOW_LEAST, most=SLOW_LEAST) for beside in apart.values()),
    )
    found = {name: (taken, base_of.get(name, name)) for name in quick}
    return found | {name: (one, base_of[name]) for name, one in zip(apart, slowly, strict=True)}


# The table of a run ----------------------------------------------------------------------------------------------

HEADER = ("contender", "ours ÷ it", "largest", "[95 %]", "in the cell", "cells", "failed", "n/a")
NOTE = (
    "ours ÷ it: seconds of ours of the same method over its own, the median over workers, then over cells.\n"
    "failed: cells where it missed the gradient error or raised, which the median leaves out."
)


def table(rows: Iterable[PartRow]) -> str:
    """What a run came to, in plain text: of each framework and contender the ratio ours ÷ contender over the cells. A
    block a framework; one row a cell and worker."""
    rows = [row for row in rows if row.status == "ok"]
    blocks = []
    for framework in dict.fromkeys(row.framework for row in rows):
        found: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
        for record in (one for row in rows if row.framework == framework for one in row.records):
            if "contender" in record:  # others are of another experiment, in a file that is none of the peers'
                found.setdefault(str(record["contender"]), {}).setdefault(str(record["cell"]), []).append(record)
        lines = [(framework, *HEADER[1:]), *(_line(name, cells) for name, cells in found.items())]
        blocks.append("\n".join(tables.text(lines, left=(0, 3, 4))))
    return "\n\n".join([*blocks, NOTE])


def _line(name: str, cells: Mapping[str, Sequence[Mapping[str, Any]]]) -> tuple[str, ...]:
    """One contender."""
    ratios = {cell: [one["ratio"] for one in records if one.get("ratio")] for cell, records in cells.items()}
    timed = {cell: centre(values) for cell, values in ratios.items() if values}
    statuses = [next((one["status"] for one in records if one["status"] != "ok"), "ok") for records in cells.values()]
    counts = (str(len(cells)), str(statuses.count("failed")), str(statuses.count("n/a")))
    if not timed:
        return name, "", "", "", "", *counts
    worst = max(timed, key=lambda cell: timed[cell].value)
    dearest = timed[worst]
    reach = f"[{dearest.low:.2f}, {dearest.high:.2f}]" if dearest.known else ""
    over = statistics.median(one.value for one in timed.values())
    return name, f"{over:.2f}", f"{dearest.value:.2f}", reach, worst, *counts
