"""Implicit problems as their step, encoder and read-out, each with its transpose."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from impls.oracles.dense import Activation, classified, dense_step, half_square, identity, tanh
from impls.oracles.images import kernel_gradient, max_pool, patches, patches_transposed
from impls.oracles.networks import NETWORKS
from impls.oracles.types import Array, Grads, Implicit
from impls.problems import Problem, Tree


def _dense(problem: Problem, weight: str, inner: str, activation: Activation) -> Implicit:
    """z = φ(z W + x U) under names of their own, ½‖z − y‖²/batch."""
    x, y = problem.batch["x"], problem.batch["y"]
    q = x @ problem.params[inner]

    def encode(args: Grads) -> Grads:
        return {weight: args["W"], inner: x.T @ args["q"]}

    step = dense_step(problem.params[weight], q, activation)
    return Implicit(np.zeros_like(q), step, encode, lambda z: half_square(z, y))


def _linear(problem: Problem) -> Implicit:
    return _dense(problem, "A", "B", identity)


def _tanh(problem: Problem) -> Implicit:
    return _dense(problem, "W", "U", tanh)


def _encoder(p: Tree, x: Array) -> tuple[Array, Callable[[Array], Grads]]:
    """Q(d) and its transpose: from the derivative by Q(d) to those by Q1, Q2, …"""
    names = [f"Q{k}" for k in range(1, len(p) - 1)]
    inputs = [patches(x, circular=False)]
    q = inputs[0] @ _rows(p["Q1"])
    q, unpool = max_pool(q, x.shape[1] // 8)
    hidden = []
    for name in names[1:]:
        hidden.append(np.tanh(q))
        inputs.append(patches(hidden[-1], circular=False))
        q = inputs[-1] @ _rows(p[name])

    def back(g: Array) -> Grads:
        found = {}
        for k in range(len(names) - 1, 0, -1):
            found[names[k]] = kernel_gradient(inputs[k], g, p[names[k]])
            g = patches_transposed(g @ _rows(p[names[k]]).T, circular=False) * (1 - hidden[k - 1] ** 2)
        return {**found, "Q1": kernel_gradient(inputs[0], unpool(g), p["Q1"])}

    return q, back


def _rows(kernel: Array) -> Array:
    """The kernel as a matrix that acts on neighbourhoods."""
    return kernel.reshape(-1, kernel.shape[-1])


def _fpn(problem: Problem) -> Implicit:
    p, y = problem.params, problem.batch["y"]
    q, through_encoder = _encoder(p, problem.batch["x"])

    def step(u: Array) -> tuple[Array, Callable[[Array], tuple[Array, Grads]]]:
        taps = patches(u, circular=True)
        fu = np.tanh(taps @ _rows(p["R"]) + q)

        def pull(g: Array) -> tuple[Array, Grads]:
            g = g * (1 - fu**2)
            back = patches_transposed(g @ _rows(p["R"]).T, circular=True)
            return back, {"R": kernel_gradient(taps, g, p["R"]), "q": g}

        return fu, pull

    def loss(u: Array) -> tuple[float, Array, Grads]:
        value, by_u, by_S, _ = classified(u.reshape(len(u), -1), p["S"], 0.0, y)
        return value, by_u.reshape(u.shape), {"S": by_S}

    return Implicit(np.zeros_like(q), step, lambda args: {"R": args["R"], **through_encoder(args["q"])}, loss)


MODELS: Mapping[str, Callable[[Problem], Implicit]] = {
    "linear": _linear,
    "tanh": _tanh,
    "newton": _tanh,
    "fpn": _fpn,
    **NETWORKS,
}
