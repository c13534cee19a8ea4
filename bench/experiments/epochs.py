"""Seconds of a training step of JFB's fixed point network under every adjoint, side by side in one process.

JFB's table 2 compares JFB with conjugate gradients on the normal equations, in a code that applies the operator three
times an iteration (``ift normal_cg_published``). Here stand beside it the same iteration at one application, and other
solvers. The forward solve makes as many steps K as bring its residual to ``tol`` at the first weights; every backward
solve has the least number of steps M that brings its own there, as in the paper, where both have one
tolerance. An epoch is ``steps_per_epoch`` steps, without the scoring of the test set that the published time includes.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from bench.cells import MODES, Value
from bench.experiments.catalog import WORKERS, Experiment, Place, Record, holding
from bench.instruments.accuracy import largest_ratio
from bench.instruments.contraction import LinearMap, derivative
from bench.instruments.timing import by_one_clock, processor_clock, rounds
from bench.job import Binding, framework_of
from bench.plan import Part
from bench.stats import worker_ratio
from bench.subjects import CatalogueProblem

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


class Epochs(Experiment):
    """See above; R of a step is another number than R of a gradient, so there are no cells."""

    def parts(self, size: str, data: bool) -> list[Part]:
        """One a network, framework and worker; with a folder of data, paper takes its images for the larger network.
        The smallest preset takes torch alone, since jax compiles a program a method."""
        named = {"mnist5k": "idx"} if data and size == "paper" else {}
        nets = [{**net, "data": named.get(str(net["data"]), net["data"])} for net in NETS[size]]
        return [
            Part("epochs", framework, {**net, "rounds": ROUNDS[size]}, worker=worker)
            for framework in (("torch",) if size == "smoke" else MODES)
            for net in nets
            for worker in range(TIMED_BY[size])
        ]

    def perform(self, part: Part, place: Place) -> list[Record]:
        """A record a method: ``seconds``, the median of one step over this process's rounds; ``ratio``, the median over
        rounds of its seconds ÷ JFB's; ``applications`` of J or its transpose in the backward solve, which makes ``M``
        steps to its ``residual``; ``K`` and ``forward_residual``; ``steps_per_epoch``."""
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
        calls = step_calls(CatalogueProblem(problem, framework, part.dtype), K, steps, RATE)
        count = int(part.settings["rounds"])
        clock = processor_clock(part.device)
        made = rounds(calls, sync=framework.sync, cpu_clock=clock, budget_s=0.0, least=count, most=count)
        (taken,) = by_one_clock(made)
        return [
            {
                "method": name,
                "seconds": statistics.median(seconds),
                "ratio": worker_ratio(taken["jfb"], seconds),
                "applications": applications(name, K, steps[name], states, part.framework),
                "M": steps[name],
                "residual": solves[name].residual if name in solves else None,
                "K": K,
                "forward_residual": counter.forward.residual,
                "steps_per_epoch": len(split.train_labels) // batch,
            }
            for name, seconds in taken.items()
        ]

    def memory_bytes(self, size: str) -> int:
        """Every step's state, unrolled, and each layer of the encoder."""
        held = [_numbers(**{name: net[name] for name in ("image", "channels", "batch")}) for net in NETS[size]]
        return holding(activations=max(held))


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


def _numbers(image: Any, channels: Any, batch: Any) -> int:
    return int(batch * channels * (4 * image**2 + 100 * 81))


def step_calls(
    problem: CatalogueProblem, K: int, steps: Mapping[str, int | None], rate: float
) -> dict[str, Callable[[], Any]]:
    """A call that makes one training step for each method, always from the same parameters: what they are changes
    no time. steps: M by method, such as ``{"jfb": None, "ift gmres": 7}``; K: of every forward solve."""
    calls = {}
    for name, M in steps.items():
        adjoint, _, solver = name.partition(" ")
        options = {"K": K, "linear_solver": solver, "M": M}
        bound = Binding(problem.framework.name, adjoint, {key: value for key, value in options.items() if value})
        step = bound.train_step(problem.loss(bound.fixed_point()))
        calls[name] = problem.framework.gradient(step, problem.params, problem.batch, None, rate)[0]
    return calls


# The least K and M that bring the solves to one residual ----------------------------------------------------------


class Solve(NamedTuple):
    """How a solve ends. steps: K or M. residual: the one they reach."""

    steps: int
    residual: float


class Counter:
    """The solves of one implicit problem of ``impls.problems``, in float64 numpy by the definitions of the solvers, so
    that their steps are the same for every framework and process.

    Residuals are the largest over samples: ‖R(z) − z‖/‖z‖ of the forward solve, ‖b − A x‖/‖b‖ of a backward one,
    A = I − Jᵀ, b = g. GMRES and conjugate gradients on the normal equations both take the x of least residual from a
    space that grows by one direction a step, so one loop serves them: images of the directions are made orthonormal,
    and taken out of the residual.

    forward: K and its residual. ``ValueError`` for a solve that does not reach ``tol`` in ``most`` steps.
    """

    def __init__(self, problem: Any, tol: float, most: int) -> None:
        from impls import oracles

        self._tol, self._most = tol, most
        model = oracles.MODELS[problem.name](problem)
        z, residual, steps = model.z0, np.inf, 0
        while not residual <= tol:
            self._refuse("The forward solve", steps, residual)
            last, z, steps = z, model.step(z)[0], steps + 1
            residual = largest_ratio(z - last, last)
        self.forward = Solve(steps, residual)
        _, pull = model.step(last)  # where the framework's adjoints linearise
        self._b = model.loss(z)[1]
        self._A: LinearMap = lambda v: v - pull(v)[0]
        push = derivative(lambda z: model.step(z)[0], last)
        self._At: LinearMap = lambda v: v - push(v)

    def backward(self, solver: str) -> Solve:
        """Of picard, gmres, normal_cg or normal_cg_published, which makes the same iterates as normal_cg."""
        r, steps, residual = self._b, 0, 1.0
        images: list[np.ndarray] = []
        while not residual <= self._tol:
            self._refuse(solver, steps, residual)
            if solver == "picard":  # x_M = Σ_{m<M} (Jᵀ)ᵐ b leaves (Jᵀ)ᴹ b
                r = r - self._A(r)
            else:
                direction = (images or [self._b])[-1] if solver == "gmres" else self._At(r)
                images.append(orthonormal(self._A(direction), images))
                r = r - dots(images[-1], r) * images[-1]
            steps, residual = steps + 1, largest_ratio(r, self._b)
        return Solve(steps, residual)

    def _refuse(self, what: str, steps: int, residual: float) -> None:
        if steps >= self._most:
            raise ValueError(
                f"{what} ends at the residual {residual:.2g} after {steps} steps, not at {self._tol:g}: "
                "take a smaller gamma."
            )


def orthonormal(v: np.ndarray, basis: list[np.ndarray]) -> np.ndarray:
    """v of each sample, scaled to length 1 after its part in the span of an orthonormal basis is taken out, twice."""
    for _ in range(2):
        for one in basis:
            v = v - dots(one, v) * one
    return v / np.maximum(np.sqrt(dots(v, v)), 1e-300)


def dots(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Inner product of each sample, to be multiplied with arrays of the same shape."""
    return (u * v).sum(axis=tuple(range(1, u.ndim)), keepdims=True)
