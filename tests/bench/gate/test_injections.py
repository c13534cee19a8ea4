"""Exact regressions put into ``impls`` on purpose are caught by the quantities that should show them; with real
workers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.gate.contest import Contest
from bench.gate.injections import INJECTIONS, Injection, inject
from bench.gate.sides import side
from bench.rows import ROOT


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


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_exact_regressions_are_caught(framework: str, tmp_path: Path) -> None:
    base = side(str(ROOT), tmp_path)
    for number, injection in enumerate(one for one in INJECTIONS if not one.timed):
        if injection.cell.framework == framework:
            folder = tmp_path / str(number)
            cell = replace(injection.cell, measures=("exact",))
            head = side(str(inject(injection, folder / "head")), folder)
            report = Contest(base, head, [cell], folder=folder / "rows", quiet=True).report()
            worse = {found.quantity for found in report.findings if found.verdict == "worse"}
            assert injection.shows <= worse and report.status == 1, injection.name
