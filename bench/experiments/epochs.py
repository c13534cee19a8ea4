"""Seconds of a training step of JFB's fixed point network under every adjoint, side by side in one process.

JFB's table 2 compares JFB with conjugate gradients on the normal equations, in a code that applies the operator three
times an iteration (``ift normal_cg_published``). Here stand beside it the same iteration at one application, and other
solvers. The forward solve makes as many steps K as bring its residual to ``TOL`` at the first weights; every backward
solve has the least number of steps M that brings its own there (``enough.py``), as in the paper, where both have one
tolerance. An epoch is ``steps_per_epoch`` steps, without the scoring of the test set that the published time includes.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from bench.cell import MODES, Cell, Value
from bench.experiments.catalog import Place, Record
from bench.experiments.footprint import holding
from bench.experiments.loops import framework_of
from bench.nest import nest_map
from bench.older import module
from bench.part import Part

TOL = 1e-3
MOST = 200
"""Steps that a solve may take at most."""

GAMMA = 0.8
RATE = 1e-3
WORKERS = {"smoke": 1, "quick": 8, "paper": 8}
ROUNDS = {"smoke": 1, "quick": 5, "paper": 15}
SOLVERS = ("picard", "gmres", "normal_cg", "normal_cg_published")
DENSE_STATES = 300
"""States up to which a dense solve is taken along: it keeps that many states, and factors a matrix a sample."""

NETS: Mapping[str, tuple[dict[str, Value], ...]] = {
    "smoke": ({"image": 8, "channels": 1, "encoder": 2, "batch": 2, "data": "digits"},),
    "quick": (
        {"image": 8, "channels": 4, "encoder": 2, "batch": 64, "data": "digits"},
        {"image": 28, "channels": 8, "encoder": 2, "batch": 64, "data": "mnist5k"},
    ),
    "paper": (
        {"image": 8, "channels": 16, "encoder": 2, "batch": 64, "data": "digits"},
        {"image": 28, "channels": 32, "encoder": 3, "batch": 100, "data": "mnist5k"},
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
        for worker in range(WORKERS[size])
    ]


def perform(part: Part, place: Place) -> list[Record]:
    """A record a method: ``seconds``, the median of one step over this process's rounds; ``ratio``, the median over
    rounds of its seconds ÷ JFB's; ``applications`` of J or its transpose in the backward solve, which makes ``M`` steps
    to its ``residual``; ``K`` and ``forward_residual``; ``steps_per_epoch``."""
    from bench.experiments.enough import Counter
    from bench.instruments.rounds import rounds
    from impls import datasets, problems

    data, batch = str(part.settings["data"]), int(part.settings["batch"])
    split = datasets.split(data, folder=place.data if data == "idx" else None)
    sizes: dict[str, Any] = {name: part.settings[name] for name in ("image", "channels", "encoder", "batch")}
    images = {"x": split.train_images[:batch].astype("float64"), "y": split.train_labels[:batch]}
    problem = replace(problems.make("fpn", gamma=GAMMA, **sizes), batch=images)
    counter, states = Counter(problem, TOL, MOST), len(problem.params["S"])
    K = counter.forward.steps
    solves = {f"ift {name}": counter.backward(name) for name in SOLVERS}
    steps = {"jfb": None, "unrolled": None, **{name: solve.steps for name, solve in solves.items()}}
    if states <= DENSE_STATES:
        steps["ift dense"] = None
    framework = framework_of(part.framework, part.device)
    calls = step_calls(framework, part.dtype, problem, K, steps)
    count = int(part.settings["rounds"])
    taken = rounds(calls, sync=framework.sync, budget_s=0.0, least=count, most=count)
    return [
        {
            "method": name,
            "seconds": statistics.median(seconds),
            "ratio": statistics.median(own / first for own, first in zip(seconds, taken["jfb"], strict=True)),
            "applications": applications(name, K, steps[name], states),
            "M": steps[name],
            "residual": solves[name].residual if name in solves else None,
            "K": K,
            "forward_residual": counter.forward.residual,
            "steps_per_epoch": len(split.train_labels) // batch,
        }
        for name, seconds in taken.items()
    ]


def step_calls(framework: Any, dtype: str, problem: Any, K: int, steps: Mapping[str, int | None]) -> dict[str, Any]:
    """A training step under each method, which ends where it began: what the numbers are changes no time."""

    def impls(name: str) -> Any:
        return module(f"impls.{framework.name}.{name}")

    params, batch = (
        nest_map(lambda value: framework.array(value, dtype), tree) for tree in (problem.params, problem.batch)
    )
    calls = {}
    for name, M in steps.items():
        adjoint, _, solver = name.partition(" ")
        bound = {"solver": impls("solvers").Picard(steps=K)}
        if solver:
            bound["linear_solver"] = impls("linear_solvers").LINEAR_SOLVERS[solver](**({"steps": M} if M else {}))
        loss = impls("models").loss(problem.name, partial(impls(f"adjoints.{adjoint}").fixed_point, **bound))
        step = impls("training").train_step(impls("gradients.backprop").value_and_grad(loss))
        calls[name] = framework.gradient(step, params, batch, None, RATE)[0]
    return calls


def applications(method: str, K: int, M: Any, states: int) -> int:
    """Products with J or its transpose between the loss and the weight products; by hand."""
    return {
        "jfb": lambda: 0,
        "unrolled": lambda: K - 1,
        "ift picard": lambda: M - 1,
        "ift gmres": lambda: M,
        "ift normal_cg": lambda: 2 * M,
        "ift normal_cg_published": lambda: 6 * M + 1,
        "ift dense": lambda: states,
    }[method]()


def memory_bytes(size: str) -> int:
    """Every step's state, unrolled, and each layer of the encoder."""
    held = [_numbers(**{name: net[name] for name in ("image", "channels", "batch")}) for net in NETS[size]]
    return holding(activations=max(held))


def _numbers(image: Any, channels: Any, batch: Any) -> int:
    return int(batch * channels * (4 * image**2 + 100 * 81))
