"""A method that misbehaves is one cell with its status and reason; its neighbours are whole. With real workers."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import impls
from bench.cell import Cell
from bench.measure import measure
from bench.store import Row

SIZES = {"width": 4, "inputs": 3, "batch": 2}
CELLS = [Cell("torch", "tanh", method, SIZES, {"K": 30}, measures=("exact",)) for method in ("unrolled", "ift", "jfb")]

BEGIN = """
from impls.torch.adjoints import jfb

def fixed_point(step, z0, args, *, solver, linear_solver=None):
"""
"""How each impostor of the ift method begins; it takes the place of ``impls/torch/adjoints/ift.py``."""

JFB = "    return jfb.fixed_point(step, z0, args, solver=solver)\n"

CASES = {
    "raises": ("    raise ArithmeticError('no luck in /some/folder/file.py')\n", "failed", "ArithmeticError: no luck"),
    "hangs": ("    import threading; threading.Event().wait()\n", "timeout", "no answer within"),
    "no number": (
        "    return jfb.fixed_point(step, z0 * float('nan'), args, solver=solver)\n",
        "diverged",
        "loss is nan",
    ),
    "another gradient": (JFB, "wrong", "away from its oracle"),
    "not a solution": ("    return z0\n", "failed", "AttributeError"),
    "eats memory": (
        "    import torch; hoard = [torch.empty(1 << 28) for _ in iter(int, 1)]\n",
        "oom",
        "allocate",
    ),
    "ends its process": ("    import os; os._exit(7)\n", "failed", "ended with exit code 7"),
    "is killed": ("    import os, signal; os.kill(os.getpid(), signal.SIGKILL)\n", "oom", "SIGKILL"),
}


def measured(
    source: str, path: str, folder: Path, monkeypatch: pytest.MonkeyPatch, timeout_s: float = 120
) -> dict[str, Row]:
    """The rows of three cells by method, with one file of ``impls`` replaced."""
    shutil.copytree(Path(impls.__file__).parent, folder / "impls", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "impls" / path).write_text(source)
    from bench.instruments import machine

    monkeypatch.setattr(machine, "memory_for", lambda processes: 3 << 30)
    rows = measure(
        CELLS,
        workers=1,
        path=folder / "rows.jsonl",
        preset="test",
        slots=1,
        pythonpath=str(folder),
        timeout_s=timeout_s,
    )
    return {row["method"]: row for row in rows}


@pytest.mark.parametrize("case", CASES)
def test_one_cell_fails_and_its_neighbours_are_whole(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, status, reason = CASES[case]
    rows = measured(BEGIN + body, "torch/adjoints/ift.py", tmp_path, monkeypatch, 15 if case == "hangs" else 120)
    assert (rows["ift"]["status"], rows["ift"]["values"]) == (status, {})
    assert reason in rows["ift"]["reason"] and "/some/folder" not in rows["ift"]["reason"]
    for name in ("unrolled", "jfb"):
        assert rows[name]["status"] == "ok" and rows[name]["values"]["peak_bytes"] > 0


@pytest.mark.parametrize(
    ("returned", "reason"),
    [
        ("{}", "shapes [], and the parameters"),
        ("{name: g[:1] for name, g in params.items()}", "and the parameters"),
    ],
)
def test_a_gradient_of_another_structure_is_wrong(
    returned: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = f"""
def value_and_grad(loss):
    def fn(params, batch, rng=None):
        value, aux = loss(params, batch)
        return value, {returned}, aux
    return fn
"""
    rows = measured(source, "torch/gradients/backprop.py", tmp_path, monkeypatch)
    assert {row["status"] for row in rows.values()} == {"wrong"}
    assert all(reason in row["reason"] for row in rows.values())
