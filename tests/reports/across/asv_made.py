"""Result files that asv itself writes, of numbers that are known."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

results = pytest.importorskip("asv.results")
runner = pytest.importorskip("asv.runner")

MACHINE = {
    "arch": "x86_64",
    "cpu": "Some CPU 9000",
    "machine": "some-machine",
    "num_cpu": "2",
    "os": "Linux",
    "ram": "8000000",
}
PINNED = {"torch": "2.13.0", "jax": "0.10.2", "scipy": ""}
DAY_MS = 86_400_000
FIRST_DAY = 20_000
"""2024-10-04, in days since 1970."""

BACKPROP = "torch/eager/cpu/float32/mlp(batch=64,depth=3,width=512)/backprop"
GIVEN = "torch/eager/cpu/float32/mlp(batch=64,depth=3,width=512)/forward_gradient(tangents=given)"
BACKPROP_JAX = BACKPROP.replace("torch/eager", "jax/jit")
IFT = "torch/eager/cpu/float32/tanh(batch=64,gamma=0.8,width=128)/ift(K=20,M=10,linear_solver=gmres)"
JFB = "jax/jit/cpu/float32/tanh(batch=64,gamma=0.8,width=128)/jfb(K=20)"

Value = float | Sequence[float] | None
"""Samples, a plain number, or None for a failure."""


def commit(
    folder: Path,
    day: int,
    tracks: Mapping[str, Mapping[str, Value]],
    *,
    version: str = "1.1",
    machine: str = "some-machine",
    pinned: Mapping[str, str] = PINNED,
    name: str = "suite.TorchMlp",
    cpu: str = "Some CPU 9000",
    sha: str = "",
) -> Path:
    """What asv saves of a commit of some day: tracks by their short names, a value for each cell.
    The hash repeats the day unless told."""
    hash_ = sha or f"{day:02d}" * 20
    environment = "virtualenv-py3.11-" + re.sub(
        r"[^\w.-]", "_", "-".join(f"{one}{number}" for one, number in pinned.items())
    )
    params: dict[str, Any] = MACHINE | {"machine": machine, "cpu": cpu, "python": "3.11"} | dict(pinned)
    date = (FIRST_DAY + day) * DAY_MS
    made = results.Results(params, dict(pinned), hash_, date, "3.11", environment, {})
    for track, cells in tracks.items():
        values = [None if isinstance(value, Sequence) else value for value in cells.values()]
        samples = [list(value) if isinstance(value, Sequence) else None for value in cells.values()]
        numbers = [None if one is None else 1 for one in samples]
        outcome = [True if drawn else value for value, drawn in zip(values, samples, strict=True)]
        told = runner.BenchmarkResult(outcome, samples, numbers, 0, "", None)
        benchmark = {"name": f"{name}.track_{track}", "version": version, "params": [[repr(cell) for cell in cells]]}
        made.add_result(benchmark, told, record_samples=True)
    made.save(str(folder))
    (path,) = (folder / machine).glob(f"{hash_[:8]}-{environment}.json")
    return path
