"""Test error of networks with as many parameters, each under its own gradient, on a grid of step sizes.

JFB's table 1 in small, where every fixed point network is the same one: what differs is the gradient alone. The
explicit network is its step applied twice, u = R(R(0)), since a single application would not use the recurrent weight.
Fixed point networks are kept contractions (``contracting.py``); a monotone operator network is one by construction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.cells import Cell, Value
from bench.experiments import classifiers
from bench.experiments.catalog import Place, Record
from bench.experiments.footprint import holding
from bench.plan import Part

GAMMA = 0.9
NET: Mapping[str, dict[str, Any]] = {
    "smoke": {"data": "digits", "image": 8, "channels": 1, "encoder": 2, "width": 7, "K": 2, "batch": 8},
    "quick": {"data": "digits", "image": 8, "channels": 4, "encoder": 2, "width": 24, "K": 12, "batch": 32},
    "paper": {"data": "mnist5k", "image": 28, "channels": 32, "encoder": 3, "width": 60, "K": 20, "batch": 100},
}
"""width: the monotone operator network's, for a number of parameters within 10 % of the fixed point network's."""

RATES = {"quick": (0.05, 0.1, 0.2, 0.5, 1.0), "paper": (0.05, 0.1, 0.2, 0.5, 1.0)}
CROSS_RATE = 0.2
"""Of one run a method in the other framework."""

SEEDS = {"quick": 3, "paper": 3}
COMPARED = {"jfb": 5, "ift": 5, "mon": 5}
"""Seeds of the methods whose differences are small, in ``quick``."""

ITERATIONS = {"smoke": 2, "quick": 2000, "paper": 2000}
MONOTONE_STEPS = {"smoke": 5, "quick": 60, "paper": 60}
"""Forward–backward steps of the monotone operator network, and terms of its backward solve: they contract slowly."""

METHODS = ("jfb", "ift", "unrolled", "explicit", "mon")
CROSSED = ("jfb",)
"""Methods with that run; a step of another takes two to four times one of JFB's, and more than in jax."""


def cells(size: str) -> list[Cell]:
    """None."""
    return []


def parts(size: str, data: bool) -> list[Part]:
    """A run for each method, rate and seed in jax, whose steps are the faster ones; one of two methods in torch. The
    smallest preset takes torch alone, which has nothing to compile."""
    shared: dict[str, Value] = {"size": size, "data": data_of(size, data), "iterations": ITERATIONS[size]}
    shared |= {"batch": NET[size]["batch"]}
    crossed = METHODS if size == "smoke" else CROSSED
    return [
        Part("accuracy", framework, {**shared, "method": method, "rate": rate, "seed": seed})
        for method in METHODS
        for framework, rate, seed in [
            *(("jax", rate, seed) for rate in RATES.get(size, ()) for seed in range(_seeds(size, method))),
            *([("torch", CROSS_RATE, 0)] if method in crossed else []),
        ]
    ]


def _seeds(size: str, method: str) -> int:
    return COMPARED.get(method, SEEDS[size]) if size == "quick" else SEEDS[size]


def data_of(size: str, data: bool) -> str:
    """The data set of a preset; ``data``: the user named a folder."""
    return "idx" if data and size == "paper" else str(NET[size]["data"])


def perform(part: Part, place: Place) -> list[Record]:
    """The records of one training run."""
    size, method = str(part.settings["size"]), str(part.settings["method"])
    problem, sizes = network(size, method)
    return classifiers.run(part, place, problem, sizes, *gradient(size, method))


def network(size: str, method: str) -> tuple[str, dict[str, Value]]:
    """The problem that a method trains, and its sizes."""
    net = NET[size]
    if method == "mon":
        return "mon", {"width": net["width"], "inputs": net["image"] ** 2}
    return "fpn", {name: net[name] for name in ("image", "channels", "encoder")} | {"gamma": GAMMA}


def gradient(size: str, method: str) -> tuple[str, dict[str, Value]]:
    """The adjoint that a method means, and its options."""
    steps, slow = NET[size]["K"], MONOTONE_STEPS[size]
    if method == "mon":
        return "ift", {"K": slow, "linear_solver": "picard", "M": slow}
    if method == "explicit":
        return "unrolled", {"K": 2, "explicit": 1}
    solve = {"linear_solver": "picard", "M": steps} if method == "ift" else {}
    return method, {"K": steps, "bound": GAMMA, **solve}


def memory_bytes(size: str) -> int:
    """A chunk of images at every convolution of the encoder and every step kept of the widest network, and the data."""
    from bench.experiments.evaluation import CHUNK

    net = NET[size]
    pixels, batch = net["image"] ** 2 * net["channels"], net["batch"]
    return holding(activations=pixels * (4 * CHUNK // 3 + batch * (net["K"] + 4)) + 70_000 * net["image"] ** 2 // 6)
