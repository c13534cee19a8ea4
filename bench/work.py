"""The flop ratio that theory gives a cell: the catalogue's formula with the numbers of a concrete problem.

Derived by hand from the shapes, never counted from a program, so that a count can be held against it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

Parts = tuple[int, int, int] | tuple[int, int, int, int]
"""Flops of the products with the data alone, of those outside step on hidden layers, of one step, and, where there are
any, of those that no gradient passes through."""


def flop_ratio(problem: Any, method: str, options: Mapping[str, Any]) -> float | None:
    """The fewest matmul and convolution flops of ``method`` over those of the forward.

    problem: an ``impls.problems.Problem``. options: every one of the cell's (K, M, solver, linear_solver, count).
    Forward mode through an adjoint takes as many products as reverse mode, each again for every further tangent.
    None where no ratio is derived by hand: an unknown problem, one without a product, Newton's method, the dense
    solve. What a solver spends on its own vectors is left out; a product that it repeats is not.
    """
    from impls.catalog import METHODS, Work

    parts, flops = PARTS.get(problem.name), METHODS[method].flops
    if parts is None or flops is None or options.get("solver") == "newton":
        return None
    applications = _applications(problem, options)
    if applications is None:
        return None
    first, rest, step, *fixed = parts(problem.params, problem.batch)
    if not (first or rest or step):
        return None
    work = Work(first, rest, step, options.get("K", 0), applications, sum(fixed))
    ratio = flops(work)
    if options.get("tangents") == "factored":  # x V is a product with a vector, wherever a weight has its tangent
        attached = work.K if method == "unrolled" else 1
        ratio -= (first + rest + attached * step) / work.forward
    count = options.get("count", 1)
    return ratio if count == 1 else 1 + count * (ratio - 1)


def _applications(problem: Any, options: Mapping[str, Any]) -> int | None:
    """Products with the step's Jacobian in the backward solve: 0 where there is none, None for a direct one."""
    kind = options.get("linear_solver")
    if kind is None:
        return 0
    if kind in ("picard", "anderson"):
        return int(options["M"]) - 1
    if kind == "gmres":
        return min(int(options["M"]), _state_size(problem))  # its space cannot be larger than the state's
    if kind == "bicgstab":  # with J, twice a step
        return 2 * int(options["M"])
    if kind == "normal_cg":
        return 2 * int(options["M"])  # with J and with Jᵀ
    if kind == "normal_cg_published":
        return 6 * int(options["M"]) + 1  # with both, three times a step, and once with Jᵀ at the start
    return None


def _state_size(problem: Any) -> int:
    """Entries of one sample's state; images have one for each pixel and channel."""
    readout = READOUTS.get(problem.name)
    return int(problem.params[readout].shape[0] if readout else problem.batch["y"].shape[1])


def _dense(batch: int, weight: Any) -> int:
    """A matrix product: 2 · batch · m · n."""
    return 2 * batch * prod(weight.shape)


def _convolution(images: Sequence[int], kernel: Any) -> int:
    """One that keeps the images' size, given as (batch, h, w): 2 · batch · h · w · kh · kw · i · o."""
    return 2 * prod(images[:3]) * prod(kernel.shape)


def _mlp(params: Any, batch: Mapping[str, Any]) -> Parts:
    first, *rest = (_dense(len(batch["x"]), layer["W"]) for layer in params)
    return first, sum(rest), 0


def _cnn(params: Any, batch: Mapping[str, Any]) -> Parts:
    """Four convolutions, the last two on images of half the size, and the dense layers."""
    images = batch["x"]
    batch_size, height, width, _ = images.shape
    halves = [(batch_size, height >> index // 2, width >> index // 2) for index in range(4)]
    first, *convolutions = (_convolution(size, layer["W"]) for size, layer in zip(halves, params[:4], strict=True))
    return first, sum(convolutions) + sum(_dense(batch_size, layer["W"]) for layer in params[4:]), 0


def _no_products(params: Any, batch: Mapping[str, Any]) -> Parts:
    """A function of two variables."""
    return 0, 0, 0


def _linear(params: Any, batch: Mapping[str, Any]) -> Parts:
    """x B once, z A each step; no read-out."""
    return _dense(len(batch["x"]), params["B"]), 0, _dense(len(batch["x"]), params["A"])


def _tanh(params: Any, batch: Mapping[str, Any]) -> Parts:
    """x U once, z W each step; no read-out."""
    return _dense(len(batch["x"]), params["U"]), 0, _dense(len(batch["x"]), params["W"])


def _fpn(params: Any, batch: Mapping[str, Any]) -> Parts:
    """Q₁ sees the data; the other convolutions of Q see hidden layers, pooled ones, so they need both products, as the
    read-out S does; R each step."""
    count, height, width, _ = batch["x"].shape
    pooled = (count, height // (height // 8), width // (width // 8))
    inner = sum(_convolution(pooled, params[f"Q{k}"]) for k in range(2, len(params) - 1))
    first = _convolution((count, height, width), params["Q1"])
    return first, inner + _dense(count, params["S"]), _convolution(pooled, params["R"])


def _elghaoui(params: Any, batch: Mapping[str, Any]) -> Parts:
    """x B and x D see the data; the read-out u C needs both products; u A each step."""
    count = len(batch["x"])
    first = _dense(count, params["B"]) + _dense(count, params["D"])
    return first, _dense(count, params["C"]), _dense(count, params["A"])


def _mon(params: Any, batch: Mapping[str, Any]) -> Parts:
    """x U sees the data, and AᵀA needs one more product too: its derivative is A (G + Gᵀ). u S needs both; u V each
    step. Three squares bound the norm of I − W, and no gradient passes through them."""
    count, n = len(batch["x"]), len(params["A"])
    square = _dense(n, params["A"])
    first = _dense(count, params["U"]) + square
    return first, _dense(count, params["S"]), _dense(count, params["A"]), 3 * square


PARTS: Mapping[str, Callable[[Any, Mapping[str, Any]], Parts]] = {
    "mlp": _mlp,
    "logistic": _mlp,
    "cnn": _cnn,
    "beale": _no_products,
    "rosenbrock": _no_products,
    "linear": _linear,
    "tanh": _tanh,
    "newton": _tanh,
    "fpn": _fpn,
    "elghaoui": _elghaoui,
    "mon": _mon,
    "averaged": _tanh,
}
READOUTS: Mapping[str, str] = {"fpn": "S", "elghaoui": "C", "mon": "S"}
"""Weights that turn a state into logits; elsewhere the loss acts on the state itself."""
