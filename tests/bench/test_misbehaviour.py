"""A method that misbehaves is one cell with its status and reason; its neighbours are whole. With real workers."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

import impls
from bench.cells import Cell
from bench.instruments import machine
from bench.processes import Worker
from bench.rows import Values, VisitRow
from bench.run import measure

SIZES = {"width": 4, "inputs": 3, "batch": 2}
METHODS = ("ift", "jfb")
"""The one that misbehaves, and a neighbour that comes after it and, but for the first, before it."""
LATER_S = 5.0
"""Seconds that a process has for a visit after its first, which imports the framework."""

JFB = "return jfb.fixed_point(step, z0, args, solver=solver)\n"

CASES = {
    "raises": ("raise ArithmeticError('no luck in /some/folder/file.py')\n", "failed", "ArithmeticError: no luck"),
    "no number": (JFB.replace("z0", "z0 * float('nan')"), "diverged", "loss is nan"),
    "another gradient": (JFB, "wrong", "away from its oracle"),
    "not a solution": ("return z0\n", "failed", "AttributeError"),
    "eats memory": ("import torch; hoard = [torch.empty(1 << 28) for _ in iter(int, 1)]\n", "oom", "allocate"),
    "ends its process": ("import os; os._exit(7)\n", "failed", "ended with exit code 7"),
    "is killed": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)\n", "oom", "SIGKILL"),
    "hangs": ("import threading; threading.Event().wait()\n", "timeout", "no answer within"),
}
"""What an impostor of the ift method does, and the status and reason that it comes to."""

STEPS = {case: 40 - number for number, case in enumerate(CASES)}
"""K of each case, which tells the impostor what to do. It falls, since what is larger than a cell that took too much is
not tried."""

IFT = "\n".join(
    [
        "from impls.torch.adjoints import jfb",
        "def fixed_point(step, z0, args, *, solver, linear_solver=None):",
        *(f"    if solver.steps == {STEPS[case]}:\n{indent(body, ' ' * 8)}" for case, (body, _, _) in CASES.items()),
    ]
)

RETURNED = {
    30: ("{}", "shapes [], and the parameters"),
    29: ("{name: g[:1] for name, g in params.items()}", "and the parameters"),
}
"""What an impostor of backprop returns for a gradient at each K, and the reason why it is wrong."""

BACKPROP = """
def value_and_grad(loss):
    def fn(params, batch, rng=None):
        value, aux = loss(params, batch)
""" + "\n".join(
    [
        *(f"        if int(aux.steps) == {K}:\n            returned = {it}" for K, (it, _) in RETURNED.items()),
        "        return value, returned, aux",
        "    return fn\n",
    ]
)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hang is noticed after LATER_S seconds."""
    honest, asked = Worker.ask, set[Worker]()

    def ask(worker: Worker, job: Mapping[str, Any], timeout_s: float) -> dict[str, Any]:
        limit = LATER_S if worker in asked else timeout_s
        asked.add(worker)
        return honest(worker, job, limit)

    monkeypatch.setattr(Worker, "ask", ask)


def measured(
    source: str, path: str, steps: list[int], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[tuple[str, int], VisitRow]:
    """The rows of two cells at each K, by method and K, with one file of ``impls`` replaced."""
    shutil.copytree(Path(impls.__file__).parent, folder / "impls", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "impls" / path).write_text(source)
    monkeypatch.setattr(machine, "memory_for", lambda processes: 3 << 30)
    cells = [Cell("torch", "tanh", method, SIZES, {"K": K}, measures=("exact",)) for K in steps for method in METHODS]
    rows = measure(
        cells,
        workers=1,
        path=folder / "rows.jsonl",
        preset="test",
        slots=1,
        pythonpath=str(folder),
        timeout_s=120,
    )
    return {(row.method, row.options["K"]): row for row in rows if isinstance(row, VisitRow)}


@pytest.mark.long
def test_one_cell_fails_and_its_neighbours_are_whole(
    impatient: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    # One run, since each that is started imports torch.
    rows = measured(IFT, "torch/adjoints/ift.py", list(STEPS.values()), tmp_path, monkeypatch)
    for case, (_, status, reason) in CASES.items():
        with subtests.test(case):
            failed = rows["ift", STEPS[case]]
            assert (failed.status, failed.values) == (status, Values())
            assert reason in failed.reason and "/some/folder" not in failed.reason
            good = rows["jfb", STEPS[case]]
            assert good.status == "ok" and good.values.peak_bytes


def test_a_gradient_of_another_structure_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = measured(BACKPROP, "torch/gradients/backprop.py", list(RETURNED), tmp_path, monkeypatch)
    assert len(rows) == 2 * len(METHODS) and {row.status for row in rows.values()} == {"wrong"}
    for (_, K), row in rows.items():
        assert RETURNED[K][1] in row.reason
