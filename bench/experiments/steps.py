"""Seconds of one training step (loss, gradient and update) under several gradient methods, side by side."""

from __future__ import annotations

import importlib
import statistics
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from bench.cells import Value
from bench.experiments.catalog import Record
from bench.experiments.loops import framework_of
from bench.instruments.timing import rounds
from bench.job import nest_map

OPTIONS: Mapping[str, Mapping[str, Value]] = {"backprop": {}, "forward_gradient": {"tangents": "gaussian"}}
"""The two that Baydin et al. compare."""


def method_of(framework: str, name: str) -> Callable[[Any], Any]:
    """fn(loss) -> value_and_grad of one of ``OPTIONS``."""
    method = importlib.import_module(f"impls.{framework}.gradients.{name}")
    return partial(method.value_and_grad, **OPTIONS[name])


def step_of(framework: str, problem: str, name: str) -> Callable[..., Any]:
    """fn(params, batch, rng, rate) -> (value, params, aux) of an explicit problem under a method, not yet compiled."""
    models = importlib.import_module(f"impls.{framework}.models")
    training = importlib.import_module(f"impls.{framework}.training")
    step: Callable[..., Any] = training.train_step(method_of(framework, name)(models.loss(problem)))
    return step


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

    used, made = framework_of(framework, device), problems.make(problem, seed=0, **sizes)
    params, batch = (nest_map(lambda value: used.array(value, dtype), tree) for tree in (made.params, made.batch))
    steps = {name: step_of(framework, problem, name) for name in methods}
    calls = {name: used.gradient(step, params, batch, used.rng(0), rate)[0] for name, step in steps.items()}
    taken = rounds(calls, sync=used.sync, budget_s=budget_s)
    return [
        {
            "method": name,
            "seconds": statistics.median(seconds),
            "ratio": statistics.median(own / first for own, first in zip(seconds, taken[methods[0]], strict=True)),
            "rounds": len(seconds),
        }
        for name, seconds in taken.items()
    ]
