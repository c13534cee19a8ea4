"""The kinds of line in a file of results: a run, a visit, a part of an experiment, and the verdict on a run."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import VERSION
from bench.cells import Cell
from bench.instruments import machine, sources
from bench.part import Part
from bench.plan import Visit
from bench.store import SCHEMA, Row

ROOT = Path(__file__).resolve().parent.parent


def run_row(
    cells: Iterable[Cell],
    ready: Mapping[str, Any],
    *,
    workers: int,
    preset: str,
    commit: str | None = None,
    parts: Iterable[Part] = (),
    experiments: Mapping[str, Iterable[str]] | None = None,
) -> Row:
    """The line that says what a run measures, where and with what; ``ready`` is a worker's own word.

    ``experiments``: the ids of each experiment's cells. ``commit`` is that of an ``impls`` from elsewhere than this
    tree, of which ``bench`` alone can then be dirty.
    """
    if commit is not None:
        _, dirty = sources.git(ROOT, ("bench",))
    else:
        commit, dirty = sources.git(ROOT)
        if not (ROOT / "impls").is_dir() or sources.digest(ROOT / "impls") != ready["impls"]:
            commit, dirty = None, True  # the workers measure another impls than this tree's
    row = {
        "kind": "run",
        "schema": SCHEMA,
        "run": secrets.token_hex(6),
        "preset": preset,
        "started": now(),
        "commit": commit,
        "dirty": dirty,
        "impls": ready["impls"],
        "bench": VERSION,
        "versions": ready["versions"],
        "machine": machine.describe(),
        "gpu_driver": machine.gpu_driver(),
        "threads": 1,
        "workers": workers,
        "cells": [cell.id for cell in cells],
    }
    if experiments is None:
        return row
    return row | {
        "parts": [part.id for part in parts],
        "experiments": {name: list(ids) for name, ids in experiments.items()},
    }


def verdict_row(run: str, surprises: list[dict[str, str]]) -> Row:
    """The line that says which cells of a run came out otherwise than the register of expected outcomes says."""
    return {"kind": "verdict", "schema": SCHEMA, "run": run, "surprises": surprises}


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def visit_row(run: str, visit: Visit, answer: Mapping[str, Any], core: int | None, seconds: float) -> Row:
    """The line of one visit; one that failed keeps its reason and has no samples and no values."""
    cell, good = visit.cell, answer["status"] == "ok"
    if isinstance(cell, Part):
        return _part_row(run, cell, answer, core, seconds)
    return {
        "kind": "visit",
        "schema": SCHEMA,
        "run": run,
        "cell": cell.id,
        "framework": cell.framework,
        "mode": cell.mode,
        "device": cell.device,
        "dtype": cell.dtype,
        "seed": cell.seed,
        "problem": cell.problem,
        "sizes": answer.get("sizes") or dict(cell.sizes),
        "method": cell.method,
        "gradient": cell.gradient,
        "options": dict(cell.options),
        "measure": visit.measure,
        "worker": visit.worker,
        "status": answer["status"],
        "reason": answer["reason"],
        "samples": {name: [round(one, 9) for one in taken] for name, taken in answer["samples"].items()}
        if good
        else {},
        "values": answer["values"] if good else {},
        "started": answer["started"],
        "seconds": round(seconds, 3),
        "load": answer["load"],
        "core": core,
        "conditions": answer.get("conditions"),
    }


def _part_row(run: str, part: Part, answer: Mapping[str, Any], core: int | None, seconds: float) -> Row:
    """The line of one part of an experiment; one that failed keeps its reason and has no records."""
    return {
        "kind": "part",
        "schema": SCHEMA,
        "run": run,
        "cell": part.id,
        "measure": "part",
        **part.as_json(),
        "status": answer["status"],
        "reason": answer["reason"],
        "records": answer.get("records", []) if answer["status"] == "ok" else [],
        "started": answer["started"],
        "seconds": round(seconds, 3),
        "load": answer["load"],
        "core": core,
        "conditions": answer.get("conditions"),
    }
