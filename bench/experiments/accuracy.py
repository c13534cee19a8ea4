"""Networks that learn to tell digits apart, each under one adjoint: the accuracy and the Neumann experiments."""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

from bench.cells import Cell, Settings, Value
from bench.experiments.catalog import Experiment, Place, Record, holding
from bench.experiments.fit import CHUNK, Trainer, spaced
from bench.job import Binding
from bench.plan import Part
from bench.presets import ift, implicit

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

DECAY = 1e-3
"""The rate at iteration i is rate · e^(−DECAY · i)."""

EVALUATION_STEPS, EVALUATION_TOL = 200, 1e-3
"""An implicit network is scored at its fixed point. A solve that does not reach it is counted as failed."""

POINTS = 8


class Accuracy(Experiment):
    """Test error of networks with as many parameters, each under its own gradient, on a grid of step sizes.

    JFB's table 1 in small, where every fixed point network is the same one: what differs is the gradient alone. The
    explicit network is its step applied twice, u = R(R(0)), since a single application would not use the recurrent
    weight. Fixed point networks are kept contractions (``contracting``); a monotone operator network is one by
    construction.
    """

    def parts(self, size: str, data: bool) -> list[Part]:
        """A run for each method, rate and seed in jax, whose steps are the faster ones; one of two methods in torch.
        The smallest preset takes torch alone, which has nothing to compile."""
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

    def perform(self, part: Part, place: Place) -> list[Record]:
        """The records of one training run."""
        size, method = str(part.settings["size"]), str(part.settings["method"])
        problem, sizes = network(size, method)
        return run(part, place, problem, sizes, *gradient(size, method))

    def memory_bytes(self, size: str) -> int:
        """A chunk of images at every convolution of the encoder and every step kept of the widest network, and the
        data."""
        net = NET[size]
        pixels, batch = net["image"] ** 2 * net["channels"], net["batch"]
        return holding(activations=pixels * (4 * CHUNK // 3 + batch * (net["K"] + 4)) + 70_000 * net["image"] ** 2 // 6)


class Neumann(Experiment):
    """The implicit gradient with its inverse cut off after order k: (I − J)⁻¹ ≈ I + J + … + Jᵏ, and JFB is k = 0.

    JFB's figure 6: time and accuracy against k. Here the gradient's error stands beside both. Picard's method with
    M = k + 1 terms is the series, so these are cells of ift; runs train the fixed point network of ``Accuracy`` with
    each k.
    """

    ORDERS: ClassVar = {"smoke": (0, 1), "quick": (0, 1, 2, 3, 5, 10, 20), "paper": (0, 1, 2, 3, 5, 10, 20)}

    LAYER: ClassVar[Mapping[str, dict[str, Any]]] = {
        "smoke": {"channels": 1, "batch": 2, "gamma": 0.8},
        "quick": {"channels": 8, "batch": 32, "gamma": 0.8},
        "paper": {"channels": 16, "batch": 64, "gamma": 0.8},
    }

    STEPS: ClassVar = {"smoke": 3, "quick": 20, "paper": 30}

    RATE = 0.2

    SEEDS: ClassVar = {"smoke": 1, "quick": 3, "paper": 3}

    ITERATIONS: ClassVar = {"smoke": 2, "quick": 2000, "paper": 2000}

    def cells(self, size: str) -> list[Cell]:
        """Time and gradient error of every order."""
        orders = [ift("picard", k + 1) for k in self.ORDERS[size]]
        return implicit("fpn", self.LAYER[size], {"K": self.STEPS[size]}, *orders)

    def parts(self, size: str, data: bool) -> list[Part]:
        """A run for each order and seed, at one rate; the smallest preset takes torch, which has nothing to compile."""
        framework = "torch" if size == "smoke" else "jax"
        shared: dict[str, Value] = {"size": size, "data": data_of(size, data), "iterations": self.ITERATIONS[size]}
        shared |= {"batch": NET[size]["batch"], "rate": self.RATE}
        return [
            Part("neumann", framework, {**shared, "k": k, "seed": seed})
            for k in self.ORDERS[size]
            for seed in range(self.SEEDS[size])
        ]

    def perform(self, part: Part, place: Place) -> list[Record]:
        """The records of one training run."""
        size, terms = str(part.settings["size"]), int(part.settings["k"]) + 1
        problem, sizes = network(size, "ift")
        method, options = gradient(size, "ift")
        return run(part, place, problem, sizes, method, {**options, "M": terms})

    def memory_bytes(self, size: str) -> int:
        """As the runs of accuracy, or the cells."""
        layer = self.LAYER[size]
        return max(
            Accuracy().memory_bytes(size),
            holding(activations=64 * layer["channels"] * layer["batch"] * self.STEPS[size]),
        )


def _seeds(size: str, method: str) -> int:
    return COMPARED.get(method, SEEDS[size]) if size == "quick" else SEEDS[size]


def data_of(size: str, data: bool) -> str:
    """The data set of a preset; ``data``: the user named a folder."""
    return "idx" if data and size == "paper" else str(NET[size]["data"])


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
    from impls import datasets

    taken = {name: options[name] for name in ("K", "linear_solver", "M") if name in options}
    bound = Binding(framework, method, taken)
    trained = bound.fixed_point()
    scored = Binding(framework, "jfb", {"K": EVALUATION_STEPS, "tol": EVALUATION_TOL}).fixed_point()
    if "bound" in options:
        trained, scored = (contracting(framework, one, float(options["bound"])) for one in (trained, scored))
    return Trainer(
        bound,
        problem,
        datasets.split(data, folder=folder if data == "idx" else None),
        sizes=sizes,
        fixed_point=trained,
        evaluation=trained if options.get("explicit") else scored,
        tol=math.inf if options.get("explicit") else EVALUATION_TOL,
        device=device,
        dtype=dtype,
    )


def contracting(framework: str, fixed_point: Any, gamma: float) -> Any:
    """An adjoint's ``fixed_point`` for fpn's step, kept a contraction while it is trained, in the same way under all.

    Plain SGD takes R(u; W, q) = tanh(u ∗ W + q) out of the contractions within tens of iterations, and what a solver
    then stops at is no fixed point. The JFB paper's code rescales the weights after each step; here W enters as

        W · min(1, γ/β(W)),   β(W)² = max over frequencies f of ‖Ŵ(f)‖²_F ≥ (spectral norm of convolution with W)²,

    a part of the network that gradients pass through, so that ‖∂R/∂u‖₂ ≤ γ at every iterate and for every weight.
    """

    def bounded(step: Any, z0: Any, args: Any) -> Any:
        kernel, q = args
        return fixed_point(step, z0, (kernel * (gamma / bound(framework, kernel, q.shape[1]).clip(gamma)), q))

    return bounded


def bound(framework: str, kernel: Any, size: int) -> Any:
    """β(W) of circular convolution on size × size images; kernel: (h, w, i, o)."""
    fft = importlib.import_module({"torch": "torch.fft", "jax": "jax.numpy.fft"}[framework])
    spectrum = fft.fft2(kernel, (size, size), (0, 1))
    return (spectrum.real**2 + spectrum.imag**2).sum((2, 3)).max() ** 0.5
