"""The implicit gradient with its inverse cut off after order k: (I − J)⁻¹ ≈ I + J + … + Jᵏ, and JFB is k = 0.

JFB's figure 6: time and accuracy against k. Here the gradient's error stands beside both. Picard's method with
M = k + 1 terms is the series, so these are cells of ift; runs train accuracy's fixed point network with each k.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.cells import Cell, Value
from bench.experiments import classifiers
from bench.experiments.accuracy import NET, data_of, gradient, network
from bench.experiments.catalog import Place, Record
from bench.experiments.footprint import holding
from bench.plan import Part
from bench.presets import ift, implicit

ORDERS = {"smoke": (0, 1), "quick": (0, 1, 2, 3, 5, 10, 20), "paper": (0, 1, 2, 3, 5, 10, 20)}
LAYER: Mapping[str, dict[str, Any]] = {
    "smoke": {"channels": 1, "batch": 2, "gamma": 0.8},
    "quick": {"channels": 8, "batch": 32, "gamma": 0.8},
    "paper": {"channels": 16, "batch": 64, "gamma": 0.8},
}
STEPS = {"smoke": 3, "quick": 20, "paper": 30}
RATE = 0.2
SEEDS = {"smoke": 1, "quick": 3, "paper": 3}
ITERATIONS = {"smoke": 2, "quick": 2000, "paper": 2000}


def cells(size: str) -> list[Cell]:
    """Time and gradient error of every order."""
    orders = [ift("picard", k + 1) for k in ORDERS[size]]
    return implicit("fpn", LAYER[size], {"K": STEPS[size]}, *orders)


def parts(size: str, data: bool) -> list[Part]:
    """A run for each order and seed, at one rate; the smallest preset takes torch, which has nothing to compile."""
    framework = "torch" if size == "smoke" else "jax"
    shared: dict[str, Value] = {"size": size, "data": data_of(size, data), "iterations": ITERATIONS[size]}
    shared |= {"batch": NET[size]["batch"], "rate": RATE}
    return [
        Part("neumann", framework, {**shared, "k": k, "seed": seed})
        for k in ORDERS[size]
        for seed in range(SEEDS[size])
    ]


def perform(part: Part, place: Place) -> list[Record]:
    """The records of one training run."""
    size, terms = str(part.settings["size"]), int(part.settings["k"]) + 1
    problem, sizes = network(size, "ift")
    method, options = gradient(size, "ift")
    return classifiers.run(part, place, problem, sizes, method, {**options, "M": terms})


def memory_bytes(size: str) -> int:
    """As the runs of accuracy, or the cells."""
    from bench.experiments import accuracy

    layer = LAYER[size]
    return max(accuracy.memory_bytes(size), holding(activations=64 * layer["channels"] * layer["batch"] * STEPS[size]))
