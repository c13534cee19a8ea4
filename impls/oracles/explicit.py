"""Explicit problems with every derivative written out: problem → (loss, gradient shaped as params)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from impls.oracles.layers import Array, Grads, cross_entropy, kernel_gradient, max_pool, patches, patches_transposed
from impls.problems import Problem, Tree


def _mlp(problem: Problem) -> tuple[float, Tree]:
    value, grads, _ = _net(problem.params, problem.batch["x"], problem.batch["y"])
    return value, grads


def _net(layers: Tree, x: Array, labels: Array) -> tuple[float, Tree, Array]:
    """Dense layers with ReLU between: (loss, gradient, derivative by x)."""
    inputs = []
    for index, layer in enumerate(layers):
        inputs.append(x)
        x = x @ layer["W"] + layer["b"]
        if index < len(layers) - 1:
            x = np.maximum(x, 0)
    value, g = cross_entropy(x, labels)
    grads: list[Grads] = []
    for index in reversed(range(len(layers))):
        x = inputs[index]
        grads.append({"W": x.T @ g, "b": g.sum(0)})
        g = g @ layers[index]["W"].T
        if index > 0:
            g = g * (x > 0)
    return value, grads[::-1], g


def _cnn(problem: Problem) -> tuple[float, Tree]:
    x, params = problem.batch["x"], problem.params
    rows = [layer["W"].reshape(-1, layer["W"].shape[-1]) for layer in params[:4]]
    inputs, outputs, unpool = [], [], {}
    for index, layer in enumerate(params[:4]):
        inputs.append(x)
        x = np.maximum(patches(x, circular=False) @ rows[index] + layer["b"], 0)
        outputs.append(x)
        if index % 2:
            x, unpool[index] = max_pool(x, 2)
    value, dense, g = _net(params[4:], x.reshape(len(x), -1), problem.batch["y"])
    g = g.reshape(x.shape)
    grads: list[Grads] = []
    for index in reversed(range(4)):
        g = unpool[index](g) if index in unpool else g
        g = g * (outputs[index] > 0)
        taps = patches(inputs[index], circular=False)  # made again: all layers' together take nine times the memory
        grads.append({"W": kernel_gradient(taps, g, params[index]["W"]), "b": g.sum((0, 1, 2))})
        if index > 0:
            g = patches_transposed(g @ rows[index].T, circular=False)
    return value, [*grads[::-1], *dense]


def _beale(problem: Problem) -> tuple[float, Tree]:
    """Three residuals r_k = c_k − x (1 − yᵏ): ∂r/∂x = yᵏ − 1, ∂r/∂y = k x yᵏ⁻¹."""
    x, y = problem.params["xy"]
    r = [c - x * (1 - y**k) for k, c in ((1, 1.5), (2, 2.25), (3, 2.625))]
    by_x = sum(2 * one * (y**k - 1) for k, one in enumerate(r, 1))
    by_y = sum(2 * one * k * x * y ** (k - 1) for k, one in enumerate(r, 1))
    return float(sum(one**2 for one in r)), {"xy": np.array([by_x, by_y])}


def _rosenbrock(problem: Problem) -> tuple[float, Tree]:
    x, y = problem.params["xy"]
    off = y - x**2
    return float((1 - x) ** 2 + 100 * off**2), {"xy": np.array([-2 * (1 - x) - 400 * x * off, 200 * off])}


EXPLICIT: Mapping[str, Callable[[Problem], tuple[float, Tree]]] = {
    "mlp": _mlp,
    "logistic": _mlp,
    "cnn": _cnn,
    "beale": _beale,
    "rosenbrock": _rosenbrock,
}
