"""Baydin et al. 2022, figure 4: an MLP on digits by backprop and by forward gradient, with plain SGD.

The step size is η·exp(−k·i) at iteration i. Protocol "shared" is the paper's, both methods at its two rates: neither
is trained out by the end, least of all on few iterations. Protocol "tuned" gives each method the same grid, wide enough
that the best rate of each lies inside. The same seed means the same initial parameters and batches for both methods.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.cells import MODES, Cell, Value
from bench.experiments.catalog import WORKERS, Place, Record
from bench.experiments.fit import Trainer
from bench.experiments.loops import spaced
from bench.experiments.steps import OPTIONS, method_of, step_seconds
from bench.plan import Part

DECAY = 1e-4
BATCH = 64
POINTS = 40
PROTOCOLS: Mapping[str, tuple[float, ...]] = {
    "shared": (2e-5, 2e-4),
    "tuned": (1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0),
}

QUICK: dict[str, Value] = {"depth": 2, "width": 64, "data": "digits", "iterations": 4000}
SMOKE: dict[str, Value] = {"depth": 2, "width": 8, "data": "digits", "iterations": 5}
PAPER: dict[str, Value] = {"depth": 3, "width": 1024, "data": "mnist5k", "iterations": 20_000}
TUNED_ITERATIONS = 2000
"""Of each of the many rates of the published size; the shared rates take the published number."""


def cells(size: str) -> list[Cell]:
    """None: the ratios of this model are in other experiments."""
    return []


def parts(size: str, data: bool) -> list[Part]:
    """A training run for each method, rate and seed, and times of a step. With a folder of data, paper trains on it."""
    net: dict[str, Value] = {"smoke": SMOKE, "quick": QUICK, "paper": PAPER | ({"data": "idx"} if data else {})}[size]
    protocols = {"tuned": (0.01,)} if size == "smoke" else PROTOCOLS
    seeds, workers = {"smoke": (1, 1), "quick": (3, WORKERS), "paper": (3, WORKERS)}[size]
    shorter: dict[str, Value] = {"iterations": TUNED_ITERATIONS} if size == "paper" else {}
    found = []
    for framework in MODES:
        found += [
            Part("training", framework, {**net, "what": "run", **run, "method": method, "rate": rate, "seed": seed})
            for protocol, rates in protocols.items()
            for run in ({"protocol": protocol} | (shorter if protocol == "tuned" else {}),)
            for method in OPTIONS
            for rate in rates
            for seed in range(seeds)
        ]
        found += [Part("training", framework, {**net, "what": "time"}, worker=worker) for worker in range(workers)]
    return found


def perform(part: Part, place: Place) -> list[Record]:
    """A run: the records of ``Trainer.fit``. Times: see ``step_seconds``."""
    settings = part.settings
    name, depth, width = str(settings["data"]), int(settings["depth"]), int(settings["width"])
    folder = place.data if name == "idx" else None
    if settings["what"] == "time":
        sizes = _sizes(_split(name, folder), depth, width) | {"batch": BATCH}
        return step_seconds(part.framework, "mlp", sizes, device=part.device, dtype=part.dtype)
    trainer = _trainer(part.framework, part.device, part.dtype, name, folder, depth, width, str(settings["method"]))
    first, iterations = float(settings["rate"]), int(settings["iterations"])
    return trainer.fit(
        rate=lambda iteration: first * math.exp(-DECAY * iteration),
        iterations=iterations,
        batch=BATCH,
        seed=int(settings["seed"]),
        points=spaced(iterations, POINTS),
    )


def memory_bytes(size: str) -> int:
    """A framework; for paper also full MNIST in float32, on the host and on the device, and activations."""
    return 2_000_000_000 if size == "paper" else 1_000_000_000


@functools.cache
def _split(name: str, folder: Path | None) -> Any:
    from impls import datasets

    return datasets.split(name, folder=folder)


@functools.cache
def _trainer(
    framework: str, device: str, dtype: str, name: str, folder: Path | None, depth: int, width: int, method: str
) -> Trainer:
    """Compiled once for all runs that a process makes with one method."""
    split = _split(name, folder)
    sizes, chosen = _sizes(split, depth, width), method_of(framework, method)
    return Trainer(framework, "mlp", split, sizes=sizes, method=chosen, device=device, dtype=dtype)


def _sizes(split: Any, depth: int, width: int) -> dict[str, Value]:
    """The MLP's for the images of a split, in ten classes."""
    return {"depth": depth, "width": width, "inputs": math.prod(split.train_images.shape[1:]), "classes": 10}
