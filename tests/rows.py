"""Rows made up one by one, as the JSON that a results file holds."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from bench import rows
from bench.cells import Cell

Row = dict[str, Any]
VERSIONS = {"python": "3.11.9", "torch": "2.13.0", "jax": "0.10.2", "jaxlib": "0.10.2", "numpy": "2.4.1"}
MACHINE = {
    "cpu": "Some CPU 9000",
    "cores": 2,
    "memory_bytes": 8_000_000_000,
    "system": "Linux 6.1 x86_64",
    "gpu": None,
}
MODES = {"torch": "eager", "jax": "jit"}

MLP = {"batch": 64, "classes": 10, "depth": 3, "inputs": 784, "width": 1024}

Method = tuple[str, Row]
BACKPROP: Method
GAUSSIAN: Method
GIVEN: Method
BACKPROP, GAUSSIAN, GIVEN = (
    ("backprop", {}),
    ("forward_gradient", {"tangents": "gaussian"}),
    ("forward_gradient", {"tangents": "given"}),
)


def run(name: str = "0" * 12, **changes: Any) -> Row:
    """A run row."""
    row = {
        "kind": "run",
        "schema": 1,
        "run": name,
        "preset": "quick",
        "started": "2026-03-01T10:00:00Z",
        "commit": "a" * 40,
        "dirty": False,
    }
    row |= {
        "impls": "1" * 12,
        "bench": "1",
        "versions": VERSIONS,
        "machine": MACHINE,
        "threads": 1,
        "workers": 8,
        "cells": [],
    }
    return row | changes


def visit(
    framework: str = "torch",
    problem: str = "mlp",
    method: Method = BACKPROP,
    sizes: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Row:
    """A visit row without samples or values; ``method`` is a name with its options."""
    name, options = method
    sizes = dict(sizes if sizes is not None else MLP)
    gradient = name if name in ("backprop", "forward_gradient") else "backprop"
    settings = [",".join(f"{key}={value}" for key, value in sorted(some.items())) for some in (sizes, options)]
    mode, device = changes.get("mode", MODES[framework]), changes.get("device", "cpu")
    cell = f"{framework}/{mode}/{device}/float32/{problem}({settings[0]})/{name}({settings[1]})"
    row = {
        "kind": "visit",
        "schema": 1,
        "run": "0" * 12,
        "cell": cell,
        "framework": framework,
        "mode": MODES[framework],
        "device": "cpu",
    }
    row |= {
        "dtype": "float32",
        "seed": 0,
        "problem": problem,
        "sizes": sizes,
        "method": name,
        "gradient": gradient,
        "options": dict(options),
    }
    row |= {"measure": "exact", "worker": 0, "status": "ok", "reason": "", "samples": {}, "values": {}}
    row |= {"started": "2026-03-01T10:01:00Z", "seconds": 1.5, "load": 0.9, "core": 0}
    return row | changes


def timed(ratio: float, worker: int = 0, pairs: int = 9, noise: float = 0.02, **changes: Any) -> Row:
    """A time visit whose pairs scatter around ``ratio``; without noise each pair has exactly this ratio."""
    dice = random.Random(f"{ratio} {worker} {changes.get('framework')} {changes.get('problem')}")
    drift = 1 + dice.gauss(0, noise)
    forward = [0.002 * (1 + abs(dice.gauss(0, noise))) for _ in range(pairs)]
    gradient = [time * ratio * drift * (1 + dice.gauss(0, noise / 2)) for time in forward]
    compile_s = 0.4 if changes.get("framework") == "jax" else None
    row = visit(**changes)
    values = {"compile_s": compile_s, "oracle_deviation": 1e-7, "overhead_s": 1e-6}
    return row | {
        "measure": "time",
        "worker": worker,
        "samples": {"forward_s": forward, "gradient_s": gradient},
        "values": values,
    }


def exact(peak: int, **changes: Any) -> Row:
    """An exact visit."""
    values: Row = {
        "peak_bytes": peak,
        "held_bytes": peak // 2,
        "parameter_bytes": 4_000_000,
        "tangent_bytes": 0,
        "result_bytes": 4_000_000,
    }
    values |= {
        "forward_peak_bytes": 524_288,
        "gradient_error": 3.21e-7,
        "cosine": 0.99999994,
        "oracle_deviation": 2.5e-7,
        "loss": 2.3,
    }
    values |= {
        "forward_steps": None,
        "forward_residual": None,
        "backward_steps": None,
        "backward_residual": None,
        "parameters": 1_000_000,
    }
    values |= changes.pop("values", {})
    return visit(**changes) | {"measure": "exact", "values": values}


def typed(row: Row | rows.Line) -> Any:
    """The row as it is read; one that has been is left as it is."""
    return row if isinstance(row, rows.Line) else msgspec.convert(row, rows.Row)


def of_cell(cell: Cell, **changes: Any) -> Row:
    """A visit row of a cell of the grid, without samples or values."""
    facts = {name: value for name, value in cell.as_json().items() if name != "measures"}
    return visit() | facts | {"cell": cell.id} | changes


def text(some: Iterable[Row]) -> bytes:
    """The bytes of a results file."""
    return b"".join(json.dumps(row).encode() + b"\n" for row in some)


def write(path: Path, some: Iterable[Row]) -> Path:
    """Write a results file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text(some))
    return path


def part(experiment: str, records: list[Row], framework: str = "torch", **settings: Any) -> Row:
    """A part row; settings named worker, status, reason, device, dtype or run are the row's own."""
    own = {
        name: settings.pop(name)
        for name in ("worker", "status", "reason", "device", "dtype", "run")
        if name in settings
    }
    row: Row = {"kind": "part", "schema": 1, "run": "0" * 12, "experiment": experiment, "framework": framework}
    row |= {"device": "cpu", "dtype": "float32", "worker": 0, "status": "ok", "reason": ""} | own
    said = ",".join(f"{name}={value}" for name, value in sorted(settings.items()))
    row |= {"cell": f"{experiment}/{framework}/{row['device']}/{row['dtype']}/({said})", "measure": "part"}
    row |= {"settings": settings, "records": records if row["status"] == "ok" else [], "conditions": None}
    return row | {"started": "2026-03-01T10:01:00Z", "seconds": 1.5, "load": 0.9, "core": 0}


def results(some: Iterable[Row | rows.Line] = (), **changes: Any) -> Any:
    """These rows as ``reports`` has them once they are read; where none of them is a run, of ``run(**changes)``."""
    from reports.load import Results

    found = [typed(row) for row in some]
    runs, visits, parts = (
        [row for row in found if isinstance(row, kind)] for kind in (rows.RunRow, rows.VisitRow, rows.PartRow)
    )
    return Results(runs or [typed(run(**changes))], visits, parts=parts)


def papers(
    visits: Mapping[str, Iterable[Row | rows.Line]] | None = None, parts: Iterable[Row] = (), **changes: Any
) -> Any:
    """The visits of each experiment and parts, as of one run of the papers' experiments that planned these cells."""
    from reports.papers import Papers

    of = {name: [typed(row) for row in some] for name, some in (visits or {}).items()}
    cells = {name: list(dict.fromkeys(row.cell for row in some)) for name, some in of.items()}
    plan = {"preset": "papers-quick", "experiments": cells} | changes
    return Papers(results([*(row for some in of.values() for row in some), *parts], **plan))
