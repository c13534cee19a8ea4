"""One gate from beginning to end: exact numbers of both sides, then turns, then a second look at what changed."""

from __future__ import annotations

import secrets
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path

from bench import VERSION, store
from bench.cells import Cell
from bench.gate import judge
from bench.gate.duel import BUDGET_S, SIDES
from bench.gate.judge import Finding
from bench.gate.looks import looks
from bench.gate.report import Report
from bench.gate.ring import Ring
from bench.gate.sides import Side
from bench.instruments import machine
from bench.processes import Launch
from bench.progress import Progress
from bench.rows import SCHEMA, now
from bench.run import WORKER, measure
from bench.store import Row

PAIRS = 6
"""Pairs of processes a cell and look."""

TIMEOUT_S = 120.0

SERIOUS = (judge.WORSE, judge.UNDECIDED, judge.BETTER)
"""Of a cell's outcomes in float32 and float64, which one is told."""


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
                found, control = looks(self._ring(scratch), fit, self._pairs, control=self._control)
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
        found = {row["cell"]: row for row in rows}
        if [row["impls"] for row in store.read(path) if row["kind"] == "run"][-1] != side.digest:
            raise RuntimeError(f"The sources of {side.name} changed meanwhile: start the gate again.")
        return found

    def _compare(self, exact: Mapping[str, Mapping[str, Row]]) -> tuple[list[Finding], list[Cell]]:
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
