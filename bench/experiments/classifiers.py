"""Networks that learn to tell digits apart under one adjoint: what the accuracy and the Neumann experiments train."""

from __future__ import annotations

import math
from functools import cache, partial
from typing import Any

from bench.cells import Settings
from bench.experiments.catalog import Place, Record
from bench.experiments.contracting import contracting
from bench.experiments.fit import Trainer
from bench.experiments.loops import spaced
from bench.plan import Part

DECAY = 1e-3
"""The rate at iteration i is rate · e^(−DECAY · i)."""

EVALUATION_STEPS, EVALUATION_TOL = 200, 1e-3
"""An implicit network is scored at its fixed point. A solve that does not reach it is counted as failed."""

POINTS = 8


def run(
    part: Part, place: Place, problem: str, sizes: dict[str, Any], method: str, options: dict[str, Any]
) -> list[Record]:
    """One training run: the records of ``Trainer.fit``.

    The part's settings have data, rate, seed, batch and iterations. options: K, linear_solver and M of the adjoint;
    bound: the γ that fpn is kept at, if any; explicit=1: the network is its K steps, and is scored at them.
    """
    chosen = part.settings
    settings = Settings(sizes), method, Settings(options)
    one = _trainer(part.framework, part.device, part.dtype, str(chosen["data"]), place.data, problem, *settings)
    rate, iterations = float(chosen["rate"]), int(chosen["iterations"])
    return one.fit(
        rate=lambda i: rate * math.exp(-DECAY * i),
        iterations=iterations,
        batch=int(chosen["batch"]),
        seed=int(chosen["seed"]),
        points=spaced(iterations, POINTS),
    )


@cache
def _trainer(
    framework: str,
    device: str,
    dtype: str,
    data: str,
    folder: Any,
    problem: str,
    sizes: Settings,
    method: str,
    options: Settings,
) -> Trainer:
    """Compiled once for all rates and seeds of one process."""
    from bench.older import module
    from impls import datasets

    def adjoint(name: str, **solvers: Any) -> Any:
        return partial(module(f"impls.{framework}.adjoints.{name}").fixed_point, **solvers)

    linear = module(f"impls.{framework}.linear_solvers").LINEAR_SOLVERS
    picard = module(f"impls.{framework}.solvers").Picard
    solvers = {"solver": picard(steps=options["K"])}
    if "linear_solver" in options:
        solvers["linear_solver"] = linear[options["linear_solver"]](steps=options["M"])
    trained = adjoint(method, **solvers)
    scored = adjoint("jfb", solver=picard(steps=EVALUATION_STEPS, tol=EVALUATION_TOL))
    if "bound" in options:
        trained, scored = (contracting(framework, one, float(options["bound"])) for one in (trained, scored))
    return Trainer(
        framework,
        problem,
        datasets.split(data, folder=folder if data == "idx" else None),
        sizes=sizes,
        method=module(f"impls.{framework}.gradients.backprop").value_and_grad,
        fixed_point=trained,
        evaluation=trained if options.get("explicit") else scored,
        tol=math.inf if options.get("explicit") else EVALUATION_TOL,
        device=device,
        dtype=dtype,
    )
