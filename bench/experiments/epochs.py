"""Seconds of a training step of JFB's fixed point network under every adjoint, side by side in one process.

JFB's table 2 compares JFB with conjugate gradients on the normal equations, in a code that applies the operator three
times an iteration (``ift normal_cg_published``). Here stand beside it the same iteration at one application, and other
solvers. The forward solve makes as many steps K as bring its residual to ``tol`` at the first weights; every backward
solve has the least number of steps M that brings its own there (``enough.py``), as in the paper, where both have one
tolerance. An epoch is ``steps_per_epoch`` steps, without the scoring of the test set that the published time includes.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bench.cells import MODES, Cell, Value
from bench.experiments.catalog import WORKERS, Place, Record
from bench.experiments.footprint import holding
from bench.experiments.loops import framework_of
from bench.plan import Part

STRICT: Mapping[str, Value] = {"gamma": 0.8, "tol": 1e-3}
PUBLISHED: Mapping[str, Value] = {"gamma": 0.5, "tol": 0.1}
"""The contraction factor and the tolerance of both solves: ours, and those of the released code on MNIST."""

MOST = 200
"""Steps that a solve may take at most."""

RATE = 1e-3
TIMED_BY = {"smoke": 1, "quick": WORKERS, "paper": WORKERS}
ROUNDS = {"smoke": 1, "quick": 5, "paper": 15}
SOLVERS = ("picard", "gmres", "normal_cg", "normal_cg_published")
DENSE_STATES = 300
"""States up to which a dense solve is taken along: it keeps that many states, and factors a matrix a sample."""

NETS: Mapping[str, tuple[dict[str, Value], ...]] = {
    "smoke": ({"image": 8, "channels": 1, "encoder": 2, "batch": 2, "data": "digits", **STRICT},),
    "quick": (
        {"image": 8, "channels": 4, "encoder": 2, "batch": 64, "data": "digits", **STRICT},
        {"image": 28, "channels": 8, "encoder": 2, "batch": 64, "data": "mnist5k", **STRICT},
        {"image": 28, "channels": 8, "encoder": 2, "batch": 64, "data": "mnist5k", **PUBLISHED},
    ),
    "paper": (
        {"image": 8, "channels": 16, "encoder": 2, "batch": 64, "data": "digits", **STRICT},
        {"image": 28, "channels": 32, "encoder": 3, "batch": 100, "data": "mnist5k", **STRICT},
        {"image": 28, "channels": 32, "encoder": 3, "batch": 100, "data": "mnist5k", **PUBLISHED},
    ),
}


def cells(size: str) -> list[Cell]:
    """None: R of a step is another number than R of a gradient."""
    return []


def parts(size: str, data: bool) -> list[Part]:
    """One a network, framework and worker; with a folder of data, paper takes its images for the larger network. The
    smallest preset takes torch alone, since jax compiles a program a method."""
    named = {"mnist5k": "idx"} if data and size == "paper" else {}
    nets = [{**net, "data": named.get(str(net["data"]), net["data"])} for net in NETS[size]]
    return [
        Part("epochs", framework, {**net, "rounds": ROUNDS[size]}, worker=worker)
        for framework in (("torch",) if size == "smoke" else MODES)
        for net in nets
        for worker in range(TIMED_BY[size])
    ]


def perform(part: Part, place: Place) -> list[Record]:
    """A record a method: ``seconds``, the median of one step over this process's rounds; ``ratio``, the median over
    rounds of its seconds ÷ JFB's; ``applications`` of J or its transpose in the backward solve, which makes ``M`` steps
    to its ``residual``; ``K`` and ``forward_residual``; ``steps_per_epoch``."""
    from bench.experiments.adjoint_steps import step_calls
    from bench.experiments.enough import Counter
    from bench.instruments.timing import rounds
    from impls import datasets, problems

    data, batch = str(part.settings["data"]), int(part.settings["batch"])
    split = datasets.split(data, folder=place.data if data == "idx" else None)
    sizes: dict[str, Any] = {name: part.settings[name] for name in ("image", "channels", "encoder", "batch")}
    images = {"x": split.train_images[:batch].astype("float64"), "y": split.train_labels[:batch]}
    gamma, tol = float(part.settings["gamma"]), float(part.settings["tol"])
    problem = replace(problems.make("fpn", gamma=gamma, **sizes), batch=images)
    counter, states = Counter(problem, tol, MOST), len(problem.params["S"])
    K = counter.forward.steps
    solves = {f"ift {name}": counter.backward(name) for name in SOLVERS}
    steps = {"jfb": None, "unrolled": None, **{name: solve.steps for name, solve in solves.items()}}
    if states <= DENSE_STATES:
        steps["ift dense"] = None
    framework = framework_of(part.framework, part.device)
    calls = step_calls(framework, part.dtype, problem, K, steps, RATE)
    count = int(part.settings["rounds"])
    taken = rounds(calls, sync=framework.sync, budget_s=0.0, least=count, most=count)
    return [
        {
            "method": name,
            "seconds": statistics.median(seconds),
            "ratio": statistics.median(own / first for own, first in zip(seconds, taken["jfb"], strict=True)),
            "applications": applications(name, K, steps[name], states, part.framework),
            "M": steps[name],
            "residual": solves[name].residual if name in solves else None,
            "K": K,
            "forward_residual": counter.forward.residual,
            "steps_per_epoch": len(split.train_labels) // batch,
        }
        for name, seconds in taken.items()
    ]


def applications(method: str, K: int, M: Any, states: int, framework: str) -> int:
    """Products with J or its transpose between the loss and the weight products; by hand. torch makes one more where a
    solver needs the transpose of the operator that it was given: it records the operator once."""
    recorded = int(framework == "torch")
    return {
        "jfb": lambda: 0,
        "unrolled": lambda: K - 1,
        "ift picard": lambda: M - 1,
        "ift gmres": lambda: M,
        "ift normal_cg": lambda: 2 * M + recorded,
        "ift normal_cg_published": lambda: 6 * M + 1 + recorded,
        "ift dense": lambda: states,
    }[method]()


def memory_bytes(size: str) -> int:
    """Every step's state, unrolled, and each layer of the encoder."""
    held = [_numbers(**{name: net[name] for name in ("image", "channels", "batch")}) for net in NETS[size]]
    return holding(activations=max(held))


def _numbers(image: Any, channels: Any, batch: Any) -> int:
    return int(batch * channels * (4 * image**2 + 100 * 81))
