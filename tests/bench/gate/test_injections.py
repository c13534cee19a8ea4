"""Exact regressions put into ``impls`` on purpose are caught by the quantities that should show them; with real
workers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.cell import Cell
from bench.gate import contest
from bench.gate.injections import INJECTIONS, Injection, inject
from bench.gate.sides import Side, side
from bench.measure import measure
from bench.rows import ROOT
from bench.store import Row


@pytest.mark.parametrize("injection", INJECTIONS, ids=lambda one: one.name.replace(" ", "-"))
def test_every_injection_still_fits_the_sources(injection: Injection, tmp_path: Path) -> None:
    found = side(str(inject(injection, tmp_path / "head")), tmp_path)
    assert found.digest != side(str(ROOT), tmp_path).digest
    for file, _, _ in injection.changes:
        compile((found.folder / "impls" / file).read_text(), file, "exec")


def test_an_injection_that_no_longer_fits_is_an_error(tmp_path: Path) -> None:
    stale = replace(INJECTIONS[0], changes=(("torch/ops.py", "no such line", ""),))
    with pytest.raises(ValueError, match=r"torch/ops\.py has 'no such line' 0 times: bring the injection up to date"):
        inject(stale, tmp_path / "head")


class Once:
    """Measures ``base`` once for all gates that ask for it, and everything else as often as it is asked for."""

    def __init__(self, base: Side, cells: list[Cell]) -> None:
        self._base, self._cells, self._rows = base, cells, list[Row]()

    def __call__(self, cells: Iterable[Cell], **settings: Any) -> Iterator[Row]:
        wanted = list(cells)
        if settings["pythonpath"] != str(self._base.folder):
            yield from measure(wanted, **settings)
            return
        if not self._rows:
            double = [replace(cell, dtype="float64") for cell in self._cells]
            self._rows = list(measure(self._cells + double, **settings))
        ids = {cell.id for cell in wanted}
        yield from (row for row in self._rows if row["cell"] in ids)


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_exact_regressions_are_caught(framework: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A copy, so that whoever edits the working tree meanwhile does not change what is measured.
    base = side(str(inject(replace(INJECTIONS[0], changes=()), tmp_path / "base")), tmp_path)
    chosen = [one for one in INJECTIONS if not one.timed and one.cell.framework == framework]
    cells = {one.name: replace(one.cell, measures=("exact",)) for one in chosen}
    monkeypatch.setattr(contest, "measure", Once(base, list({cell.id: cell for cell in cells.values()}.values())))
    for number, injection in enumerate(chosen):
        head = side(str(inject(injection, tmp_path / str(number))), tmp_path)
        found = contest.Contest(base, head, [cells[injection.name]], folder=tmp_path / "rows", quiet=True).report()
        worse = {finding.quantity for finding in found.findings if finding.verdict == "worse"}
        assert injection.shows <= worse and found.status == 1, injection.name
