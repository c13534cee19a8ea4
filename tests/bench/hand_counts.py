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

    torch orthogonalises against the vectors that are there, jax against all M + 1 that its fixed shapes hold; a sum
    over the first vector alone is an elementwise product in torch's einsum.
    """
    batch, size = problem.sizes["batch"], 64 * problem.sizes["channels"] if problem.name == "fpn" else 7
    M = min(M, size)
    state = 2 * batch * size
    orthogonalise = 2 * state * M * (M + 1) - 2 * state if framework == "torch" else 4 * state * M * (M + 1)
    combine = state * M if M > 1 or framework == "jax" else 0
    rows = M + 1
    factors = 2 * ((6 * rows * M**2 - 2 * M**3) // 3)  # R and Q of (M + 1) × M, as many flops each
    return orthogonalise + combine + batch * (factors + M**2 + 2 * rows * M)


def _products(options: Mapping[str, Any]) -> tuple[int, int]:
    """Products of a linear solver with its matrix, the recorded one included, and with the transpose."""
    M = options["M"]
    return {
        "picard": (M - 1, 0),
        "gmres": (M, 0),
        "normal_cg": (M + 1, M),
        "normal_cg_published": (3 * M + 1, 3 * M + 1),
    }[options["linear_solver"]]


def beyond(framework: str, problem: problems.Problem, method: str, options: Mapping[str, Any], gradient: str) -> int:
    """Flops beyond the fewest."""
    first, _, step = parts(problem)
    more = _square(problem)  # AᵀA is differentiated by both its factors, one product each
    if options.get("linear_solver") == "gmres":
        more += gmres(framework, problem, options["M"])
    if framework == "torch" and str(options.get("linear_solver")).startswith("normal_cg"):
        more += step  # one product is recorded, so that it can be transposed
        if problem.name == "fpn" and gradient == "backprop":
            more += _products(options)[1] * step  # its transpose is a double backward of a convolution; see below
    if framework == "jax" and method == "unrolled":
        more += step  # a scan's state has a derivative from the start: that of z₀, zero, is multiplied too
    if framework == "jax" and method == "ift":
        more += step  # linearising step at z evaluates it there again; a compiler may share it
    if framework == "torch" and gradient == "forward_gradient":
        more += first - _square(problem)  # dual numbers multiply the zero tangent of the data
        if "K" in options:
            more += step  # and that of z₀, or of the detached z
        if method == "ift":
            more += 2 * step  # its products with J come from step and its vjp, evaluated once more at z
            if problem.name == "fpn":
                # torch's double backward of a convolution makes a weight's gradient that nobody asked for
                more += _products(options)[0] * step
    return more
