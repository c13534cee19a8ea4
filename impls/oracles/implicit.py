"""Implicit problems as their step, encoder and read-out, each with its transpose."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from impls.oracles.layers import (
    Activation,
    Array,
    Grads,
    Implicit,
    classified,
    dense_step,
    half_square,
    identity,
    kernel_gradient,
    max_pool,
    patches,
    patches_transposed,
    relu,
    tanh,
)
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


def _elghaoui(problem: Problem) -> Implicit:
    p, x, y = problem.params, problem.batch["x"], problem.batch["y"]
    q = x @ p["B"]

    def loss(u: Array) -> tuple[float, Array, Grads]:
        value, by_u, by_C, by_logits = classified(u, p["C"], x @ p["D"], y)
        return value, by_u, {"C": by_C, "D": x.T @ by_logits}

    def encode(args: Grads) -> Grads:
        return {"A": args["W"], "B": x.T @ args["q"]}

    return Implicit(np.zeros_like(q), dense_step(p["A"], q, relu), encode, loss)


def monotone(A: Array, B: Array, m: float) -> Array:
    """I − W = m I + AᵀA − B + Bᵀ."""
    return m * np.eye(len(A)) + A.T @ A - B + B.T


def step_length(F: Array, m: float) -> float:
    """α = 3m/(2 L²), L the Schatten norm of order 16 of F: that to the power 16 is the trace of (FᵀF)⁸."""
    return float(1.5 * m / (np.linalg.svd(F, compute_uv=False) ** 16).sum() ** (1 / 8))


def mon(problem: Problem, alpha: float | None = None) -> Implicit:
    """With another ``alpha`` than the loss takes: other steps to the same fixed point."""
    p, x, y, m = problem.params, problem.batch["x"], problem.batch["y"], float(problem.batch["m"])
    F = monotone(p["A"], p["B"], m)
    a = step_length(F, m) if alpha is None else alpha
    q = a * (x @ p["U"] + p["b"])

    def encode(args: Grads) -> Grads:
        by_W, by_q = a * args["W"], a * args["q"]
        return {"A": -p["A"] @ (by_W + by_W.T), "B": by_W - by_W.T, "U": x.T @ by_q, "b": by_q.sum(0)}

    def loss(u: Array) -> tuple[float, Array, Grads]:
        value, by_u, by_S, _ = classified(u, p["S"], 0.0, y)
        return value, by_u, {"S": by_S}

    return Implicit(np.zeros_like(q), dense_step(np.eye(len(F)) - a * F, q, relu), encode, loss)


def _averaged(problem: Problem) -> Implicit:
    p, x, y = problem.params, problem.batch["x"], problem.batch["y"]
    q = x @ p["U"]

    def encode(args: Grads) -> Grads:
        return {"W": args["W"], "U": x.T @ args["q"]}

    return Implicit(np.zeros_like(q), dense_step(p["W"], q, tanh, 0.5), encode, lambda u: half_square(u, y))


MODELS: Mapping[str, Callable[[Problem], Implicit]] = {
    "linear": _linear,
    "tanh": _tanh,
    "newton": _tanh,
    "fpn": _fpn,
    "elghaoui": _elghaoui,
    "mon": mon,
    "averaged": _averaged,
}
