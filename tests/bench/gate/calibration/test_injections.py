"""Exact regressions put into ``impls`` on purpose are caught by the quantities that should show them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.cells import Cell
from bench.gate import gate
from bench.gate.calibration.injections import INJECTIONS, SMALL, Injection, inject
from bench.gate.report import Report
from bench.gate.sides import Side, side
from bench.rows import ROOT, Visited
from tests.bench.gate.calibration import in_process

NONE = replace(INJECTIONS[0], changes=())


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

    def __init__(self, base: Side) -> None:
        self._base, self._rows = base, dict[str, Visited]()

    def __call__(self, cells: Iterable[Cell], **settings: Any) -> Iterator[Visited]:
        wanted = list(cells)
        if settings["pythonpath"] != str(self._base.folder):
            return in_process.measure(wanted, **settings)
        new = [cell for cell in wanted if cell.id not in self._rows]
        self._rows |= {row.cell: row for row in in_process.measure(new, **settings)}
        return iter([self._rows[cell.id] for cell in wanted])


@pytest.fixture(scope="module", autouse=True)
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with in_process.shared_compiled(tmp_path_factory.mktemp("compiled")):
        yield


@pytest.mark.parametrize("framework", ["torch", pytest.param("jax", marks=pytest.mark.long)])
def test_exact_regressions_are_caught(framework: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A copy, so that whoever edits the working tree meanwhile does not change what is measured.
    base, same = (side(str(inject(NONE, tmp_path / name)), tmp_path) for name in ("base", "same"))
    chosen = [one for one in INJECTIONS if not one.timed and one.cell.framework == framework]
    monkeypatch.setattr(gate, "measure", Once(base))

    def judged(head: Side, injection: Injection) -> Report:
        # Counts are exact at any size, and the smallest takes least time.
        cell = replace(injection.cell, sizes=SMALL, measures=("exact",))
        return gate.Gate(base, head, [cell], folder=tmp_path / "rows", quiet=True).report()

    for number, injection in enumerate(chosen):
        found = judged(side(str(inject(injection, tmp_path / str(number))), tmp_path), injection)
        worse = {finding.quantity for finding in found.findings if finding.verdict == "worse"}
        assert injection.shows <= worse and found.status == 1, injection.name
    equal = judged(same, chosen[0])
    assert equal.status == 0 and {finding.verdict for finding in equal.findings} == {"same"}
