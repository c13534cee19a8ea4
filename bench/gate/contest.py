"""One gate from beginning to end: exact numbers of both sides, then turns, then a second look at what changed."""

from __future__ import annotations

import math
import secrets
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bench import VERSION, store
from bench.cell import Cell
from bench.gate import judge
from bench.gate.duel import BUDGET_S, SIDES
from bench.gate.judge import BETTER, UNDECIDED, WORSE, Finding
from bench.gate.ring import CONTROL, Match, Ring
from bench.gate.sides import Side
from bench.instruments import machine
from bench.measure import WORKER, measure
from bench.processes import Launch
from bench.progress import Progress
from bench.rows import SCHEMA, now
from bench.store import Row

PAIRS = 6
"""Pairs of processes a cell and look."""

TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Report:
    """What a gate found. ``cells``: those that either side can do; ``measured``: those that both can and were."""

    base: Side
    head: Side
    findings: tuple[Finding, ...]
    control: tuple[Finding, ...]
    cells: int
    measured: int
    pairs: int

    @property
    def noisy(self) -> bool:
        """Whether base differed from itself by more than the margin: no time is judged then."""
        return any(found.verdict in (WORSE, BETTER) for found in self.control)

    @property
    def status(self) -> int:
        """The exit status: 1 on a regression, 2 where nothing or too little was measured, 0 otherwise."""
        if any(found.verdict == WORSE for found in self.findings):
            return 1
        return 2 if self.measured < max(1, math.ceil(self.cells / 2)) else 0


class Contest:
    """``base`` against ``head`` on some cells; rows go to files in ``folder``, each as soon as it is there."""

    def __init__(
        self,
        base: Side,
        head: Side,
        cells: Iterable[Cell],
        *,
        folder: Path,
        pairs: int = PAIRS,
        slots: int | None = None,
        timeout_s: float = TIMEOUT_S,
        budget_s: float = BUDGET_S,
        control: bool = True,
        quiet: bool = False,
        script: Path = WORKER,
    ) -> None:
        self._sides = {"base": base, "head": head}
        self._cells, self._folder, self._pairs, self._control = list(cells), folder, pairs, control
        available = machine.available_cores()
        self._cores = [available[slot % len(available)] for slot in range(slots or min(2, len(available)))]
        self._timeout_s, self._budget_s, self._quiet, self._script = timeout_s, budget_s, quiet, script
        self._path, self._run = folder / "turns.jsonl", secrets.token_hex(6)

    def report(self) -> Report:
        """Measure and judge."""
        exact = {name: self._exact(name) for name in SIDES}
        findings, fit = self._compare(exact)
        store.append(self._path, self._header())
        control: list[Finding] = []
        if fit:
            with tempfile.TemporaryDirectory(prefix="gradratio-") as scratch:
                found, control = self._turns(self._ring(scratch), fit)
            findings += found
        known = {cell.id for cell in self._cells if any(exact[name][cell.id]["status"] != "n/a" for name in SIDES)}
        unmeasured = {found.cell for found in findings if found.quantity == "status"}
        report = Report(
            self._sides["base"],
            self._sides["head"],
            tuple(findings),
            tuple(control),
            len(known),
            len(known - unmeasured),
            self._pairs,
        )
        verdict = {"kind": "verdict", "schema": SCHEMA, "run": self._run, "status": report.status}
        judged = {"findings": [asdict(one) for one in findings], "control": [asdict(one) for one in control]}
        store.append(self._path, verdict | judged)
        return report

    # ------------------------------------------------------------------------------------------------------------

    def _header(self) -> Row:
        return {
            "kind": "gate",
            "schema": SCHEMA,
            "run": self._run,
            "started": now(),
            **{
                name: {"name": side.label, "commit": side.commit, "impls": side.digest}
                for name, side in self._sides.items()
            },
            "bench": VERSION,
            "versions": machine.versions(),
            "machine": machine.describe(),
            "pairs": self._pairs,
            "budget_s": self._budget_s,
            "margin": judge.MARGIN,
            "floor_s": judge.FLOOR_S,
            "cells": [cell.id for cell in self._cells],
        }

    def _exact(self, name: str) -> Mapping[str, Row]:
        """Exact visits of one side by cell, each cell in float64 too, where its error is free of rounding."""
        plain = [replace(cell, measures=("exact",)) for cell in self._cells]
        double = [replace(cell, dtype="float64") for cell in plain if cell.device != "meta"]
        rows = measure(
            plain + double,
            workers=1,
            path=self._folder / f"{name}.jsonl",
            preset="gate",
            slots=len(self._cores),
            pythonpath=str(self._sides[name].folder),
            timeout_s=self._timeout_s,
            fresh=True,
            progress=Progress(quiet=self._quiet),
            script=self._script,
        )
        return {row["cell"]: row for row in rows}

    def _compare(self, exact: Mapping[str, Mapping[str, Row]]) -> tuple[list[Finding], list[Cell]]:
        """What exact visits tell, and the cells fit for turns: those that came out well on both sides."""
        findings: list[Finding] = []
        fit = []
        for cell in self._cells:
            double = replace(cell, dtype="float64")
            both = [tuple(exact[name][one.id] for name in SIDES) for one in (cell, double) if one.id in exact["base"]]
            failed = [found for pair in both if (found := judge.outcome(cell.id, *pair)) is not None]
            if failed:
                findings += failed[:1]  # float64 fails in the same words
                continue
            findings += judge.counts(cell.id, *(row["values"] for row in both[0]))
            base, head = (row["values"].get("gradient_error") for row in both[-1])
            if base is not None and head is not None:
                findings.append(judge.error(cell.id, base, head))
            if "time" in cell.measures:
                fit.append(cell)
        return findings, fit

    def _ring(self, scratch: str) -> Ring:
        launches = {name: Launch(sys.executable, self._script, str(side.folder)) for name, side in self._sides.items()}
        return Ring(
            self._sides,
            launches,
            path=self._path,
            run=self._run,
            scratch=scratch,
            cores=self._cores,
            timeout_s=self._timeout_s,
            budget_s=self._budget_s,
            progress=Progress(quiet=self._quiet),
        )

    def _turns(self, ring: Ring, cells: Sequence[Cell]) -> tuple[list[Finding], list[Finding]]:
        """Findings of time, and those of base against itself on one cell a framework."""
        chosen = {cell.framework: cell for cell in reversed(cells)}.values() if self._control else ()
        first = self._fight(ring, "first", cells, chosen)
        control = [found for cell in chosen for found in self._times(cell, first[CONTROL, cell.id])]
        noisy = any(found.verdict in (WORSE, BETTER) for found in control)
        # What is not clear gets as many pairs again.
        pairs = {cell.id: first["first", cell.id] for cell in cells}
        unclear = [cell for cell in cells if self._has(UNDECIDED, cell, pairs[cell.id])]
        for (_, name), rows in self._fight(ring, "more", unclear if not noisy else ()).items():
            pairs[name] = pairs[name] + rows
        # A regression must show again in pairs of its own.
        slower = [cell for cell in cells if self._has(WORSE, cell, pairs[cell.id])]
        again = self._fight(ring, "again", slower if not noisy else ())
        findings: list[Finding] = []
        for cell in cells:
            found = self._times(cell, pairs[cell.id])
            if noisy:
                found = [replace(one, verdict=UNDECIDED, note="base differed from itself") for one in found]
            elif cell in slower:
                second = {one.quantity: one for one in self._times(cell, again["again", cell.id])}
                found = [_confirmed(one, second.get(one.quantity)) for one in found]
            findings += found
        return findings, control

    def _fight(
        self, ring: Ring, stage: str, cells: Iterable[Cell], control: Iterable[Cell] = ()
    ) -> dict[tuple[str, str], list[Row]]:
        """Rows by stage and cell; all cells once, then all once more, so that a drift of the machine meets all."""
        each = [(stage, cell) for cell in cells] + [(CONTROL, cell) for cell in control]
        found: dict[tuple[str, str], list[Row]] = {(kind, cell.id): [] for kind, cell in each}
        for row in ring.fight(Match(cell, kind, pair) for pair in range(self._pairs) for kind, cell in each):
            found[row["stage"], row["cell"]].append(row)
        return found

    def _has(self, verdict: str, cell: Cell, rows: Sequence[Row]) -> bool:
        return any(found.verdict == verdict for found in self._times(cell, rows))

    def _times(self, cell: Cell, rows: Sequence[Row]) -> list[Finding]:
        """The comparisons of time of one cell, or the one of its status where a side gave no time."""
        good = [row["samples"] for row in rows if row["status"] == "ok"]
        failed = [row for row in rows if row["status"] != "ok"]
        if len(good) >= max(2, math.ceil(len(rows) / 2)):
            note = f"{len(failed)} of {len(rows)} pairs failed" if failed else ""
            return [replace(found, note=note) for found in judge.times(cell.id, good)]
        words = "; ".join(sorted({f"{row['side']} {row['status']}: {row['reason']}" for row in failed}))
        verdict = WORSE if {row["side"] for row in failed} == {"head"} else UNDECIDED
        return [Finding(cell.id, "status", verdict, note=words)]


def _confirmed(first: Finding, second: Finding | None) -> Finding:
    """A regression that a second run of its own shows too, else one that is not decided."""
    if first.verdict != WORSE:
        return first
    if second is None or second.verdict != WORSE:
        middle = f"{second.interval[0]:.3f}" if second and second.interval else "no time"
        return replace(first, verdict=UNDECIDED, note=f"a second run found {middle}")
    low, high = (second.interval or (0, None, None))[1:]
    return replace(first, note=f"again: {low:.3f} to {high:.3f}" if low and high else first.note)
