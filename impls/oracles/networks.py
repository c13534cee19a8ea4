"""Further instances of N(d) = S(u*) as their step, encoder and read-out, each with its transpose."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from impls.oracles.dense import classified, dense_step, half_square, relu, tanh
from impls.oracles.types import Array, Grads, Implicit
from impls.problems import Problem


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


NETWORKS: Mapping[str, Callable[[Problem], Implicit]] = {"elghaoui": _elghaoui, "mon": mon, "averaged": _averaged}
