"""Training steps of an implicit problem under several adjoints, ready to be timed side by side."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from bench.job import nest_map
from bench.older import module


def step_calls(
    framework: Any, dtype: str, problem: Any, K: int, steps: Mapping[str, int | None], rate: float
) -> dict[str, Any]:
    """A call that makes one training step for each method, always from the same parameters: what they are changes
    no time. steps: M by method, such as ``{"jfb": None, "ift gmres": 7}``; K: of every forward solve."""

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
        calls[name] = framework.gradient(step, params, batch, None, rate)[0]
    return calls
