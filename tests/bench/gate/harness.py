"""Two sides with orders, worker processes that measure nothing, and a way to set them against each other."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bench.cells import Cell
from bench.gate.gate import Gate
from bench.gate.report import Report
from bench.gate.sides import Side, side
from bench.processes import Here, Launch, Lost, Task
from tests.bench.gate import fake_side

PAIRS = 3


class Sides:
    """Two sides with orders, and a way to set them against each other."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.out = folder, folder / "out"

    def side(self, name: str, orders: dict[str, Any]) -> Side:
        impls = self.folder / name / "impls"
        impls.mkdir(parents=True)
        (impls / "__init__.py").write_text(f'"""{name}"""\n')
        (impls / "orders.json").write_text(json.dumps(orders))
        return side(str(self.folder / name), self.folder)

    def __call__(
        self, base: dict[str, Any], head: dict[str, Any], methods: tuple[str, ...] = ("jfb",), **settings: Any
    ) -> Report:
        cells = [Cell("torch", "tanh", method) for method in methods]
        sides = self.side("base", base), self.side("head", head)
        options = {"pairs": PAIRS, "slots": 1, "quiet": True, "script": Path(fake_side.__file__)} | settings
        return Gate(*sides, cells, folder=self.out, **options).report()

    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.out / "turns.jsonl").read_text().splitlines()]

    def stages(self) -> dict[str, int]:
        return dict(Counter(row["stage"] for row in self.rows() if row["kind"] == "turns"))


class Played(fake_side.Live):
    """A side in the process of tests, where a death is ``Lost`` as a process would be."""

    def die(self) -> None:
        raise Lost("failed", "played dead")


def without_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the process of tests play all workers: what is measured, judged and told is the same."""

    def start(launch: Launch, core: int | None = None, task: Task | None = None) -> Here:
        side = Path(str(launch.pythonpath))
        return Here(fake_side.answers(side, Played(side)), fake_side.ready(side))

    monkeypatch.setattr(Launch, "start", start)


def verdicts(report: Report) -> dict[str, str]:
    """The verdict on each quantity of a report on one cell."""
    return {found.quantity: found.verdict for found in report.findings}
