"""The worker's side: loads the caller's model from its file and visits one method, or computes the reference."""

from __future__ import annotations

import functools
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from bench.cells import Cell
from bench.instruments import torch_calls
from bench.own import settings
from bench.own.job import Job
from bench.own.question import Question, model
from bench.own.references import Reference, reference
from bench.rows import plain
from bench.visit import failure, visit

Message = dict[str, Any]

REFERENCE = "reference.npz"
"""Name of the file in the scratch folder where the workers find the gradient that all are compared with."""


def answer(job: Message) -> Message:
    """The answer to a job of a worker: ``own`` names the scratch folder, the model's file in it and the caller's import
    path; with a ``cell`` it is visited, without one the reference is computed and kept."""
    own, folder = job["own"], Path(job["own"]["scratch"])
    for path in own["paths"]:
        if path not in sys.path:
            sys.path.append(path)
    settings.give(own["framework"], own["settings"])
    with torch_calls.apart():
        try:
            taken = _loaded(folder / own["model"])[1]
        except Exception:  # the row says why
            taken = None
        if "cell" not in job:
            return _refer(folder, own["model"], own["K"])
        cell = Cell(**job["cell"])
        return plain(visited(lambda: _job(folder, own["model"], cell), job["measure"], job["pairs"], taken))


def visited(factory: Any, measure: str, pairs: Message, taken: Any) -> Message:
    """What a visit found of the model ``taken``, None where it does not run. Reasons that are whole sentences stand
    without the name of an exception; notes on missing values are the reason of a visit that is ok."""
    found = (
        visit(factory, measure, **pairs) if taken is None else taken.holding(lambda: visit(factory, measure, **pairs))
    )
    found["reason"] = found["reason"].removeprefix("Unsuitable: ")
    notes = found["values"].pop("notes", None)
    return found | {"reason": " ".join(notes)} if notes else found


def referred(question: Question, taken: Any, K: int) -> Reference:
    """The reference of a model that runs."""
    from importlib import import_module

    mode = {"torch": "torch_eager", "jax": "jax_jit"}[question.framework]
    framework = import_module(f"bench.frameworks.{mode}").Framework("cpu")
    return reference(question, framework, taken, K)


def steps(cells: list[Cell]) -> int:
    """The most steps that a forward solve of these cells takes; 1 where there is none."""
    return max((int(cell.options.get("K", 1)) for cell in cells), default=1)


def keep(folder: Path, found: Reference) -> None:
    """Put a reference where the workers look for it, whole or not at all."""
    gradient = np.zeros(0) if found.gradient is None else found.gradient
    made, others = folder / f"made-{REFERENCE}", asdict(found) | {"gradient": gradient}
    np.savez(made, **others)
    os.replace(made, folder / REFERENCE)


def _refer(folder: Path, name: str, K: int) -> Message:
    try:
        question, taken = _loaded(folder / name)
        found = referred(question, taken, K)
    except Exception as error:  # of a model that does not run at all: each method's row will say why
        found = Reference(None, f"No gradient error: {failure(error)[1].removeprefix('Unsuitable: ')}")
    keep(folder, found)
    return {"note": found.note}


def _job(folder: Path, name: str, cell: Cell) -> Job:
    question, taken = _loaded(folder / name)
    with np.load(folder / REFERENCE) as kept:
        gradient = kept["gradient"] if kept["gradient"].size else None
        found = {name: kept[name].item() for name in kept.files if name != "gradient"}
    return Job(question, cell, taken, Reference(gradient, **found))


@functools.cache
def _loaded(path: Path) -> tuple[Question, Any]:
    """The question of a file and its model, once a process."""
    import cloudpickle

    question = cloudpickle.loads(path.read_bytes())
    return question, model(question)
