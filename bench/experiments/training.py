"""Baydin et al. 2022, figures 2 and 4: descent by backprop and by forward gradient, and seconds of a step of each."""

from __future__ import annotations

import functools
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.cells import MODES, Value
from bench.experiments.catalog import WORKERS, Experiment, Place, Record
from bench.experiments.fit import Trainer, compiled, draw, plain, spaced
from bench.instruments.timing import by_one_clock, processor_clock, rounds
from bench.job import Binding, framework_of
from bench.plan import Part
from bench.stats import worker_ratio
from bench.subjects import CatalogueProblem, loss_of

OPTIONS: Mapping[str, Mapping[str, Value]] = {"backprop": {}, "forward_gradient": {"tangents": "gaussian"}}
"""The two that Baydin et al. compare."""

PATHS = 10

PATH_POINTS = 60

PUBLISHED: Mapping[str, tuple[float, int]] = {"beale": (0.01, 1000), "rosenbrock": (5e-4, 25_000)}
"""Rate and iterations of each function. Read off the figure, seconds of forward gradient ÷ seconds of backprop are
0.86 and 0.75."""

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


class FunctionPaths(Experiment):
    """Figure 2: descent on Beale's and Rosenbrock's functions by backprop and by forward gradient.

    Constant rates, as far as the figure tells; tangents are gaussian, and the seeds are theirs alone. The paper's
    precision is unknown: paths are float64, so that they show the method, and steps are timed in float32. Every torch
    step is a call from Python; jax's run inside one compiled ``fori_loop`` for a path, and are compiled calls from
    Python to be timed.
    """

    def parts(self, size: str, data: bool) -> list[Part]:
        """Paths of ten seeds, of which backprop needs one, and times of a step; quick is as published too."""
        workers = 1 if size == "smoke" else WORKERS
        found = []
        for framework in MODES:
            for function, (rate, published) in PUBLISHED.items():
                iterations = 50 if size == "smoke" else published
                seeds = 1 if size == "smoke" else PATHS
                run: dict[str, Value] = {"what": "path", "function": function, "rate": rate, "iterations": iterations}
                for method in OPTIONS:
                    found += [
                        Part("test_functions", framework, {**run, "method": method, "seed": seed}, dtype="float64")
                        for seed in range(1 if method == "backprop" else seeds)
                    ]
                timed: dict[str, Value] = {"what": "time", "function": function, "rate": rate}
                found += [Part("test_functions", framework, timed, worker=worker) for worker in range(workers)]
        return found

    def perform(self, part: Part, place: Place) -> list[Record]:
        """A path: iteration, x, y and value at logarithmically spaced iterations, or up to where the value is no finite
        number. Times: see ``step_seconds``."""
        settings = part.settings
        function, rate = str(settings["function"]), float(settings["rate"])
        if settings["what"] == "time":
            return step_seconds(part.framework, function, {}, device=part.device, dtype=part.dtype, rate=rate)
        return _path(part, function, str(settings["method"]), rate, int(settings["seed"]), int(settings["iterations"]))

    def memory_bytes(self, size: str) -> int:
        """A framework."""
        return 1_000_000_000


class Training(Experiment):
    """Figure 4: an MLP on digits by backprop and by forward gradient, with plain SGD.

    The step size is η·exp(−k·i) at iteration i. Protocol "shared" is the paper's, both methods at its two rates:
    neither is trained out by the end, least of all on few iterations. Protocol "tuned" gives each method the same grid,
    wide enough that the best rate of each lies inside. The same seed means the same initial parameters and batches for
    both methods.
    """

    def parts(self, size: str, data: bool) -> list[Part]:
        """A training run for each method, rate and seed, and times of a step. With a folder of data, paper trains on
        it."""
        net: dict[str, Value] = {"smoke": SMOKE, "quick": QUICK, "paper": PAPER | ({"data": "idx"} if data else {})}[
            size
        ]
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

    def perform(self, part: Part, place: Place) -> list[Record]:
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

    def memory_bytes(self, size: str) -> int:
        """A framework; for paper also full MNIST in float32, on the host and on the device, and activations."""
        return 2_000_000_000 if size == "paper" else 1_000_000_000


def binding(framework: str, name: str) -> Binding:
    """One of ``OPTIONS`` in a framework."""
    return Binding(framework, name, OPTIONS[name], name)


def step_seconds(
    framework: str,
    problem: str,
    sizes: Mapping[str, Value],
    methods: Sequence[str] = tuple(OPTIONS),
    *,
    device: str = "cpu",
    dtype: str = "float32",
    rate: float = 1e-4,
    budget_s: float = 0.3,
) -> list[Record]:
    """One record a method: ``seconds``, the median of one process's rounds; ``ratio``, the median over rounds of its
    seconds ÷ those of the first method in the same round; ``rounds``, how many there were.

    Every step starts from the same parameters and batch: what the numbers are changes no time.
    """
    from impls import problems

    used = framework_of(framework, device)
    made = CatalogueProblem(problems.make(problem, seed=0, **sizes), used, dtype)
    steps = {name: binding(framework, name).train_step(made.loss()) for name in methods}
    calls = {name: used.gradient(step, made.params, made.batch, used.rng(0), rate)[0] for name, step in steps.items()}
    (taken,) = by_one_clock(rounds(calls, sync=used.sync, cpu_clock=processor_clock(device), budget_s=budget_s))
    return [
        {
            "method": name,
            "seconds": statistics.median(seconds),
            "ratio": worker_ratio(taken[methods[0]], seconds),
            "rounds": len(seconds),
        }
        for name, seconds in taken.items()
    ]


# Paths on test functions ------------------------------------------------------------------------------------------


def _path(part: Part, function: str, method: str, rate: float, seed: int, iterations: int) -> list[Record]:
    from impls import problems

    used = framework_of(part.framework, part.device)
    params = CatalogueProblem(problems.make(function), used, part.dtype).params
    advance, value_of = _programs(part.framework, part.device, function, method)
    rng, made = used.rng(seed), 0
    found: list[Record] = []
    for iteration in spaced(iterations, PATH_POINTS):
        params, made = advance(params, made, iteration, rng, rate), iteration
        x, y = (float(one) for one in used.numpy(params["xy"]))
        numbers = {"x": x, "y": y, "value": float(value_of(params))}
        found.append({"iteration": iteration, **{name: float(f"{one:.9g}") for name, one in numbers.items()}})
        if not math.isfinite(numbers["value"]):
            break
    return found


@functools.cache
def _programs(framework: str, device: str, function: str, method: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Compiled once for all seeds: fn(params, start, stop, rng, rate) -> params, and fn(params) -> value."""
    used = framework_of(framework, device)
    loss = loss_of(framework, function)
    return _advance(used, binding(framework, method).train_step(loss)), plain(used, lambda params: loss(params, {})[0])


def _advance(used: Any, step: Callable[..., Any]) -> Callable[..., Any]:
    """fn(params, start, stop, rng, rate) -> params after the steps start, …, stop − 1."""

    def body(index: Any, params: Any, rng: Any, rate: Any) -> Any:
        return step(params, {}, draw(used, rng, index), rate)[1]

    def jitted(params: Any, start: Any, stop: Any, rng: Any, rate: Any) -> Any:
        import jax

        return jax.lax.fori_loop(start, stop, lambda index, now: body(index, now, rng, rate), params)

    def called(params: Any, start: int, stop: int, rng: Any, rate: Value) -> Any:
        for index in range(start, stop):
            params = body(index, params, rng, rate)
        return params

    return compiled(used, jitted) if used.name == "jax" else called


# Training ----------------------------------------------------------------------------------------------------------


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
    sizes = _sizes(split, depth, width)
    return Trainer(binding(framework, method), "mlp", split, sizes=sizes, device=device, dtype=dtype)


def _sizes(split: Any, depth: int, width: int) -> dict[str, Value]:
    """The MLP's for the images of a split, in ten classes."""
    return {"depth": depth, "width": width, "inputs": math.prod(split.train_images.shape[1:]), "classes": 10}
