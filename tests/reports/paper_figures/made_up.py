"""Rows of the experiments on explicit models, made up from simple laws, so that every figure has something to draw."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from tests.rows import BACKPROP, GAUSSIAN, GIVEN, Row, exact, part, timed

FRAMEWORKS = ("torch", "jax")


def both(ratio: float, peak: int = 1_000_000, values: Row | None = None, **cell: Any) -> Iterator[Row]:
    """Two workers' times, and exact values."""
    yield from (timed(ratio, worker, pairs=3, **cell) for worker in range(2))
    yield exact(peak, values={"flops": 3e6, "forward_flops": 1e6, "flop_ratio": 2.67} | (values or {}), **cell)


def _test_functions() -> Iterator[Row]:
    ends = {"beale": ((0.0, 0.5), (3.0, 0.5)), "rosenbrock": ((-1.0, 0.0), (1.0, 1.0))}
    for framework, (function, ((x, y), (u, v))) in product(FRAMEWORKS, ends.items()):
        for method, seed in (("backprop", 0), ("forward_gradient", 0), ("forward_gradient", 1)):
            records = [
                {
                    "iteration": i,
                    "x": x + (u - x) * t,
                    "y": y + (v - y) * t + 0.2 * seed * t * (1 - t),
                    "value": 8e-6**t,
                }
                for i in (0, 1, 10, 100, 1000)
                for t in [i / 1000]
            ]
            settings = {"what": "path", "function": function, "method": method, "seed": seed, "rate": 0.01}
            yield part("test_functions", records, framework, dtype="float64", **settings)


def _ratios() -> Iterator[Row]:
    for framework in FRAMEWORKS:
        for problem, sizes in (("logistic", {"batch": 64}), ("mlp", {"batch": 64, "width": 1024, "inputs": 784})):
            for method, ratio in ((BACKPROP, 2.9), (GAUSSIAN, 3.6), (GIVEN, 2.4)):
                yield from both(ratio, framework=framework, problem=problem, sizes=sizes, method=method)
        for width, batch in product((32, 512), (1, 64)):
            sizes = {"depth": 3, "width": width, "inputs": width, "batch": batch}
            for method, ratio in ((BACKPROP, 4 - width / 512), (GIVEN, 3 - width / 1024)):
                work = {"flops": 5.34 * width**2 * batch, "forward_flops": 2.0 * width**2 * batch}
                yield from both(ratio, framework=framework, sizes=sizes, method=method, values=work)


def _depth() -> Iterator[Row]:
    def net(depth: int, width: int, batch: int) -> Row:
        return {"depth": depth, "width": width, "inputs": width, "classes": width, "batch": batch}

    for framework in FRAMEWORKS:
        for depth, (method, ratio) in product((1, 10, 100), ((BACKPROP, 2.8), (GAUSSIAN, 3.4), (GIVEN, 2.2))):
            copies = {"parameter_bytes": depth * 2**18, "tangent_bytes": depth * 2**18}
            where: Row = {"framework": framework, "method": method}
            yield from both(ratio * depth**0.03, sizes=net(depth, 256, 64), values=copies, **where)
            yield exact(depth * 2**18, sizes=net(depth, 1024, 64), values=copies, device="meta", **where)
        for batch, (method, activations) in product((64, 1024, 16384), ((BACKPROP, 10), (GAUSSIAN, 2), (GIVEN, 2))):
            copies = {"parameter_bytes": 2**22, "tangent_bytes": 2**22}
            peak = 2**22 + activations * batch * 1024
            yield exact(peak, framework=framework, method=method, sizes=net(10, 256, batch), values=copies)
            again = {"depth": 10, "width": 256, "batch": batch}
            record = {"peak_bytes": 2**18 + 2 * batch * 1024, "parameter_bytes": 2**22}
            yield part("depth", [record], framework, what="replayed", **again)


def fit(rate: float, seed: int, last: float = 0.05) -> list[Row]:
    """A run whose loss falls from 2.3 to about ``last``; its rate is best at 0.1."""
    off = 1 + abs(rate - 0.1)
    return [
        {
            "iteration": i,
            "loss": 2.3 * (last / 2.3 * off) ** (i / 1000) + 0.001 * seed,
            "test_error": error,
            "diverged": 0,
        }
        for i in (0, 1, 10, 100, 1000)
        for error in [0.9 - 0.8 * i / 1000 + 0.01 * seed]
    ]


def _training() -> Iterator[Row]:
    for framework, method in product(FRAMEWORKS, ("backprop", "forward_gradient")):
        for (protocol, rate), seed in product(
            (("shared", 2e-4), ("tuned", 0.01), ("tuned", 0.1), ("tuned", 1.0)), (0, 1)
        ):
            settings = {"what": "run", "protocol": protocol, "method": method, "rate": rate, "seed": seed}
            yield part("training", fit(rate, seed, 0.02 if method == "backprop" else 0.2), framework, **settings)
    for framework, worker in product(FRAMEWORKS, (0, 1)):
        records = [
            {"method": "backprop", "seconds": 2e-4, "ratio": 1.0},
            {"method": "forward_gradient", "seconds": 3e-4, "ratio": 1.5 + 0.01 * worker},
        ]
        yield part("training", records, framework, what="time", worker=worker)


EXPLICIT = {
    "test_functions": _test_functions,
    "ratios": _ratios,
    "depth": _depth,
    "training": _training,
}
