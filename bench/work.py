"""The flop ratio that theory gives a cell: the catalogue's formula with the numbers of a concrete problem.

Derived by hand from the shapes, never counted from a program, so that a count can be held against it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

Parts = tuple[int, int, int]
"""Flops of the products with the data alone, of those outside step on hidden layers, and of one step."""


def flop_ratio(problem: Any, method: str, options: Mapping[str, Any]) -> float | None:
    """The fewest matmul and convolution flops of ``method`` over those of the forward.

    problem: an ``impls.problems.Problem``. options: every one of the cell's (K, M, solver, linear_solver, count).
    Forward mode through an adjoint takes as many products as reverse mode, each again for every further tangent.
    None where no ratio is derived by hand: an unknown problem, Newton's method, the dense solve. What GMRES spends on
    its own vectors and its small least squares problem is left out.
    """
    from impls.catalog import METHODS, Work

    parts = PARTS.get(problem.name)
    if parts is None or options.get("solver", "picard") != "picard":
        return None
    applications = _applications(problem, options)
    if applications is None:
        return None
    first, rest, step = parts(problem.params, problem.batch)
    ratio = METHODS[method].flops(Work(first, rest, step, options.get("K", 0), applications))
    count = options.get("count", 1)
    return ratio if count == 1 else 1 + count * (ratio - 1)


def _applications(problem: Any, options: Mapping[str, Any]) -> int | None:
    """Products with the step's Jacobian in the backward solve: 0 where there is none, None for a direct one."""
    kind = options.get("linear_solver")
    if kind is None:
        return 0
    if kind == "picard":
        return int(options["M"]) - 1
    if kind == "gmres":
        return min(int(options["M"]), _state_size(problem))  # its space cannot be larger than the state's
    return None


def _state_size(problem: Any) -> int:
    """Entries of one sample's state; images have one for each pixel and channel."""
    if problem.name == "fpn":
        return int(problem.params["S"].shape[0])
    return int(problem.batch["y"].shape[1])


def _dense(batch: int, weight: Any) -> int:
    """A matrix product: 2 · batch · m · n."""
    return 2 * batch * prod(weight.shape)


def _convolution(images: Any, kernel: Any) -> int:
    """One that keeps the image's size: 2 · batch · h · w · kh · kw · i · o."""
    return 2 * prod(images.shape[:3]) * prod(kernel.shape)


def _mlp(params: Any, batch: Mapping[str, Any]) -> Parts:
    first, *rest = (_dense(len(batch["x"]), layer["W"]) for layer in params)
    return first, sum(rest), 0


def _linear(params: Any, batch: Mapping[str, Any]) -> Parts:
    """x B once, z A each step; no read-out."""
    return _dense(len(batch["x"]), params["B"]), 0, _dense(len(batch["x"]), params["A"])


def _tanh(params: Any, batch: Mapping[str, Any]) -> Parts:
    """x U once, z W each step; no read-out."""
    return _dense(len(batch["x"]), params["U"]), 0, _dense(len(batch["x"]), params["W"])


def _fpn(params: Any, batch: Mapping[str, Any]) -> Parts:
    """Q₁ sees the data; Q₂ sees a hidden layer, so it needs both products, as the read-out S does; R each step."""
    images = batch["x"]
    rest = _convolution(images, params["Q2"]) + _dense(len(images), params["S"])
    return _convolution(images, params["Q1"]), rest, _convolution(images, params["R"])


PARTS: Mapping[str, Callable[[Any, Mapping[str, Any]], Parts]] = {
    "mlp": _mlp,
    "linear": _linear,
    "tanh": _tanh,
    "newton": _tanh,
    "fpn": _fpn,
}
