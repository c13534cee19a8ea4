"""Flops derived by hand: the parts of each problem, and what programs do beyond the fewest products."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from impls import problems


def parts(problem: problems.Problem) -> tuple[int, int, int]:
    """Flops of the first layer or the products with the data, of the other layers, and of a step: from sizes alone.

    AᵀA of ``mon`` goes with the first: one product more differentiates it.
    """
    size = problem.sizes
    batch = size["batch"]
    if problem.name == "logistic":
        return 2 * batch * size["inputs"] * size["classes"], 0, 0
    if problem.name == "cnn":
        side, channels, hidden = size["image"], size["channels"], size["hidden"]
        first = 2 * batch * side**2 * 9 * channels
        inner = 2 * batch * 9 * channels**2 * (side**2 + 2 * (side // 2) ** 2)
        return first, inner + 2 * batch * hidden * (channels * (side // 4) ** 2 + 10), 0
    if problem.name == "mlp":
        widths = [size["inputs"], *[size["width"]] * (size["depth"] - 1), size["classes"]]
        layers = [2 * batch * m * n for m, n in pairwise(widths)]
        return layers[0], sum(layers[1:]), 0
    if problem.name == "fpn":
        pixels, channels = {8: 8, 28: 9}[size["image"]] ** 2, size["channels"]
        step = 2 * batch * pixels * 9 * channels * channels
        inner = (size["encoder"] - 1) * step
        return 2 * batch * size["image"] ** 2 * 9 * channels, inner + 2 * batch * pixels * channels * 10, step
    width, inputs = size["width"], size["inputs"]
    step = 2 * batch * width * width
    if problem.name == "elghaoui":
        return 2 * batch * inputs * (width + size["classes"]), 2 * batch * width * size["classes"], step
    if problem.name == "mon":
        return 2 * batch * inputs * width + _square(problem), 2 * batch * width * size["classes"], step
    return 2 * batch * inputs * width, 0, step


def fixed(problem: problems.Problem) -> int:
    """Flops that no gradient passes through: the three squares that bound a norm in ``mon``."""
    return 3 * _square(problem)


def _square(problem: problems.Problem) -> int:
    """A product of two matrices of the width of ``mon``."""
    return 2 * problem.sizes["width"] ** 3 if problem.name == "mon" else 0


def gmres(framework: str, problem: problems.Problem, M: int) -> int:
    """GMRES's own flops, which theory leaves out: to orthogonalise and to combine, and its least squares problems.

    torch orthogonalises against the vectors that are there, jax against all M that its fixed shapes hold; and jax makes
    Q along with R, which a compiler drops.
    """
    batch, size = problem.sizes["batch"], _state(problem)
    M = min(M, size)
    state, factor = 2 * batch * size, 4 * (M + 1) ** 3 // 3
    orthogonalise = 2 * state * M * (M + 1) if framework == "torch" else 4 * state * M**2
    return orthogonalise + state * M + batch * (factor * (1 if framework == "torch" else 2) + M**2)


def anderson(problem: problems.Problem, mixes: int) -> int:
    """Anderson's own flops: two products with a window of m differences and one of its combinations, and a system of m
    equations a sample."""
    batch, m = problem.sizes["batch"], 5
    return mixes * (3 * m * 2 * batch * _state(problem) + batch * (2 * m**3 // 3 + 2 * m**2))


def forward_anderson(framework: str, problem: problems.Problem, options: Mapping[str, Any]) -> int:
    """Those of the forward solve: one mix for each of the K − 1 images, but torch leaves the first as it is."""
    own = options["K"] - 1 - (framework == "torch") if options.get("solver") == "anderson" else 0
    return anderson(problem, own)


def _state(problem: problems.Problem) -> int:
    """Entries of one sample's state."""
    return 64 * problem.sizes["channels"] if problem.name == "fpn" else 7


def _products(options: Mapping[str, Any]) -> tuple[int, int]:
    """Products of a linear solver with its matrix, the recorded one included, and with the transpose."""
    M = options["M"]
    return {
        "picard": (M - 1, 0),
        "anderson": (M - 1, 0),
        "bicgstab": (2 * M, 0),
        "gmres": (M, 0),
        "normal_cg": (M + 1, M),
        "normal_cg_published": (3 * M + 1, 3 * M + 1),
    }[options["linear_solver"]]


def beyond(framework: str, problem: problems.Problem, method: str, options: Mapping[str, Any], gradient: str) -> int:
    """Flops beyond the fewest."""
    _, _, step = parts(problem)
    more = _square(problem)  # AᵀA is differentiated by both its factors, one product each
    if options.get("linear_solver") == "gmres":
        more += gmres(framework, problem, options["M"])
    if options.get("linear_solver") == "anderson":
        more += anderson(problem, options["M"] - 1)
    if framework == "torch" and str(options.get("linear_solver")).startswith("normal_cg"):
        more += step  # one product is recorded, so that it can be transposed
        if problem.name == "fpn" and gradient == "backprop":
            more += _products(options)[1] * step  # its transpose is a double backward of a convolution; see below
    if framework == "jax" and method == "unrolled":
        more += step  # a scan's state has a derivative from the start: that of z₀, zero, is multiplied too
    if framework == "jax" and method == "ift":
        more += step  # linearising step at z evaluates it there again; a compiler may share it
    if framework == "torch" and gradient == "forward_gradient" and problem.name == "mon":
        more += step  # the matrix of its step is computed from weights: dual numbers multiply the zero tangent of z₀
    if framework == "torch" and gradient == "forward_gradient" and method == "ift":
        more += 2 * step  # its products with J come from step and its vjp, evaluated once more at z
        if problem.name == "fpn":
            # torch's double backward of a convolution makes a weight's gradient that nobody asked for
            more += _products(options)[0] * step
    return more
