"""Baydin et al. 2022, figure 2: descent on Beale's and Rosenbrock's functions by backprop and by forward gradient.

Constant rates, as far as the figure tells; tangents are gaussian, and the seeds are theirs alone. The paper's precision
is unknown: paths are float64, so that they show the method, and steps are timed in float32. Every torch step is a call
from Python; jax's run inside one compiled ``fori_loop`` for a path, and are compiled calls from Python to be timed.
"""

from __future__ import annotations

import functools
import importlib
import math
from collections.abc import Callable, Mapping
from typing import Any

from bench.cells import MODES, Cell, Value
from bench.experiments.catalog import WORKERS, Place, Record
from bench.experiments.loops import compiled, draw, framework_of, plain, spaced
from bench.experiments.steps import OPTIONS, step_of, step_seconds
from bench.job import nest_map
from bench.plan import Part

SEEDS = 10
POINTS = 60
PUBLISHED: Mapping[str, tuple[float, int]] = {"beale": (0.01, 1000), "rosenbrock": (5e-4, 25_000)}
"""Rate and iterations of each function. Read off the figure, seconds of forward gradient ÷ seconds of backprop are
0.86 and 0.75."""


def cells(size: str) -> list[Cell]:
    """None: two parameters fill no memory, and what is timed is a step."""
    return []


def parts(size: str, data: bool) -> list[Part]:
    """Paths of ten seeds, of which backprop needs one, and times of a step; quick is as published too."""
    workers = 1 if size == "smoke" else WORKERS
    found = []
    for framework in MODES:
        for function, (rate, published) in PUBLISHED.items():
            iterations = 50 if size == "smoke" else published
            seeds = 1 if size == "smoke" else SEEDS
            run: dict[str, Value] = {"what": "path", "function": function, "rate": rate, "iterations": iterations}
            for method in OPTIONS:
                found += [
                    Part("test_functions", framework, {**run, "method": method, "seed": seed}, dtype="float64")
                    for seed in range(1 if method == "backprop" else seeds)
                ]
            timed: dict[str, Value] = {"what": "time", "function": function, "rate": rate}
            found += [Part("test_functions", framework, timed, worker=worker) for worker in range(workers)]
    return found


def perform(part: Part, place: Place) -> list[Record]:
    """A path: iteration, x, y and value at logarithmically spaced iterations, or up to where the value is no finite
    number. Times: see ``step_seconds``."""
    settings = part.settings
    function, rate = str(settings["function"]), float(settings["rate"])
    if settings["what"] == "time":
        return step_seconds(part.framework, function, {}, device=part.device, dtype=part.dtype, rate=rate)
    return _path(part, function, str(settings["method"]), rate, int(settings["seed"]), int(settings["iterations"]))


def memory_bytes(size: str) -> int:
    """A framework."""
    return 1_000_000_000


def _path(part: Part, function: str, method: str, rate: float, seed: int, iterations: int) -> list[Record]:
    from impls import problems

    used = framework_of(part.framework, part.device)
    params = nest_map(lambda value: used.array(value, part.dtype), problems.make(function).params)
    advance, value_of = _programs(part.framework, part.device, function, method)
    rng, made = used.rng(seed), 0
    found: list[Record] = []
    for iteration in spaced(iterations, POINTS):
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
    loss = importlib.import_module(f"impls.{framework}.models").loss(function)
    return _advance(used, step_of(framework, function, method)), plain(used, lambda params: loss(params, {})[0])


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
