"""One gate from beginning to end: exact numbers of both sides, then turns, more of what is unclear, and another
comparison of what is worse."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from bench import VERSION
from bench.cells import Cell
from bench.gate import judge
from bench.gate.judge import BETTER, UNDECIDED, WORSE, Finding
from bench.gate.report import Report
from bench.gate.sides import Side
from bench.gate.turns import AGAIN, BUDGET_S, CONTROL, FIRST, MORE, SIDES, Turns
from bench.instruments import machine
from bench.plan import Visit
from bench.processes import WORKER, Launch
from bench.progress import Progress
from bench.rows import GateRow, TurnsRow, VerdictRow, VisitRow, append, made, now, read
from bench.run import Leader, Limits, measure
from bench.summary import last_run

PAIRS = 6
"""Pairs of processes a cell and comparison."""

TIMEOUT_S = 120.0

SERIOUS = (WORSE, UNDECIDED, BETTER)
"""Of a cell's outcomes in float32 and float64, which one is told."""


class Gate:
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
        append(self._path, self._header())
        control: list[Finding] = []
        if fit:
            found, control = self._times(fit)
            findings += found
        report = Report(
            self._sides["base"],
            self._sides["head"],
            tuple(findings),
            tuple(control),
            frozenset(cell.id for cell in self._cells if all(judge.applies(exact[name][cell.id]) for name in SIDES)),
            frozenset(cell.id for cell in fit),
            self._pairs,
        )
        told, own = ([asdict(one) for one in some] for some in (findings, control))
        append(self._path, VerdictRow(run=self._run, status=report.status, findings=told, control=own))
        return report

    # ------------------------------------------------------------------------------------------------------------

    def _header(self) -> GateRow:
        fields = {
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
        return made(GateRow, fields)

    def _exact(self, name: str) -> Mapping[str, VisitRow]:
        """Exact visits of one side by cell, each cell in float64 too, where its error is free of rounding."""
        plain = [replace(cell, measures=("exact",)) for cell in self._cells]
        double = [replace(cell, dtype="float64") for cell in plain if cell.device != "meta"]
        side, path = self._sides[name], self._folder / f"{name}.jsonl"
        rows = measure(
            plain + double,
            workers=1,
            path=path,
            preset="gate",
            slots=len(self._cores),
            pythonpath=str(side.folder),
            timeout_s=self._timeout_s,
            fresh=True,
            commit=side.commit,
            progress=Progress(quiet=self._quiet),
            script=self._script,
        )
        found = {row.cell: row for row in rows if isinstance(row, VisitRow)}
        if last_run(read(path)).impls != side.digest:
            raise RuntimeError(f"The sources of {side.name} changed during the run: start the gate again.")
        return found

    def _compare(self, exact: Mapping[str, Mapping[str, VisitRow]]) -> tuple[list[Finding], list[Cell]]:
        """What exact visits tell, and the cells fit for turns: those that came out well on both sides."""
        findings: list[Finding] = []
        fit = []
        for cell in self._cells:
            double = replace(cell, dtype="float64")
            both = [tuple(exact[name][one.id] for name in SIDES) for one in (cell, double) if one.id in exact["base"]]
            failed = [found for pair in both if (found := judge.outcome(cell.id, *pair)) is not None]
            if failed:
                findings.append(min(failed, key=lambda one: SERIOUS.index(one.verdict)))
                continue
            findings += judge.counts(cell.id, *(row.values for row in both[0]))
            base, head = (row.values.gradient_error for row in both[-1])
            if base is not None and head is not None:
                findings.append(judge.error(cell.id, base, head))
            if "time" in cell.measures:
                fit.append(cell)
        return findings, fit

    def _times(self, cells: Sequence[Cell]) -> tuple[list[Finding], list[Finding]]:
        """Findings of time of all cells, and those of base against itself on one cell a framework."""
        chosen = list({cell.framework: cell for cell in reversed(cells)}.values()) if self._control else []
        first = self._turns({FIRST: cells, CONTROL: chosen})
        against_itself = [found for cell in chosen for found in judge.time(cell.id, first[CONTROL, cell.id])]
        restless = judge.restless(against_itself)
        rows = {cell.id: first[FIRST, cell.id] for cell in cells}

        def those(verdict: str) -> list[Cell]:
            return [cell for cell in cells if any(one.verdict == verdict for one in judge.time(cell.id, rows[cell.id]))]

        # What is not clear gets as many pairs again.
        for (_, name), more in self._turns({MORE: [] if restless else those(UNDECIDED)}).items():
            rows[name] = rows[name] + more
        # A regression must show again in pairs of its own.
        again = self._turns({AGAIN: [] if restless else those(WORSE)})
        findings: list[Finding] = []
        for cell in cells:
            found = judge.time(cell.id, rows[cell.id])
            if restless:
                found = [judge.unjudged(one, restless) for one in found]
            elif (AGAIN, cell.id) in again:
                second = {one.quantity: one for one in judge.time(cell.id, again[AGAIN, cell.id])}
                found = [judge.confirmed(one, second) for one in found]
            findings += found
        return findings, against_itself

    def _turns(self, wanted: Mapping[str, Sequence[Cell]]) -> dict[tuple[str, str], list[TurnsRow]]:
        """Rows of turns by what they are for and cell; all cells once, then all once more, so that a drift of the
        machine meets all."""
        each = [(purpose, cell) for purpose, cells in wanted.items() for cell in cells]
        found: dict[tuple[str, str], list[TurnsRow]] = {(purpose, cell.id): [] for purpose, cell in each}
        plan = [(Visit(cell, purpose, pair),) for pair in range(self._pairs) for purpose, cell in each]
        launches = {
            name: Launch(script=self._script, pythonpath=str(side.folder)) for name, side in self._sides.items()
        }
        with tempfile.TemporaryDirectory(prefix="gradratio-") as scratch:
            turns = Turns(
                self._sides,
                launches,
                run=self._run,
                scratch=scratch,
                budget_s=self._budget_s,
                memory_bytes=machine.memory_for(2 * len(self._cores)),
            )
            progress = Progress(quiet=self._quiet)
            leader = Leader(turns, path=self._path, limits=Limits(self._timeout_s), progress=progress)
            for row in leader.lead(plan, self._cores):
                found[row.purpose, row.cell].append(row)
        return found
