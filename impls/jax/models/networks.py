"""Losses of further instances of N(d) = S(u*), u* = R(u*, Q(d)): El Ghaoui's, a monotone one and an averaged one."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from impls.jax import ops
from impls.jax.models.implicit import Batch, half_square
from impls.jax.solvers import Solution, State
from impls.jax.types import FixedPoint

Square = Float[Array, "n n"]


def relu_step(u: State, args: tuple[Array, Array]) -> State:
    """R(u; W, q) = relu(u W + q)."""
    W, q = args
    return jax.nn.relu(ops.matmul(u, W) + q)


def elghaoui(params: ops.Tree, batch: Batch, *, fixed_point: FixedPoint) -> tuple[Array, Solution]:
    """Cross-entropy of u* C + x D at u* = relu(u* A + x B)."""
    xB = ops.matmul(batch["x"], params["B"])
    found = fixed_point(relu_step, jnp.zeros_like(xB), (params["A"], xB))
    logits = ops.matmul(found.value, params["C"]) + ops.matmul(batch["x"], params["D"])
    return ops.cross_entropy(logits, batch["y"]), found


def monotone_weight(A: Square, B: Square, m: Float[Array, ""]) -> Square:
    """W = (1 − m) I − AᵀA + B − Bᵀ: the symmetric part of I − W is m I + AᵀA, whatever A and B are."""
    return (1 - m) * jnp.eye(len(A), dtype=A.dtype) - ops.matmul(A.T, A) + B - B.T


def forward_backward(W: Square, q: State, m: Float[Array, ""]) -> tuple[Square, State]:
    """(V, p) for which relu(u V + p) is the forward–backward step relu(u − α (u (I − W) − q)) at a safe α.

    α = 3m/(2 L²), L² = ‖(FᵀF)⁴‖_F^¼ ≥ ‖F‖₂², F = I − W. From u F uᵀ ≥ m‖u‖² follows ‖V‖₂² ≤ 1 − ¾ (m/L)²: training
    cannot make the step diverge. The fixed point is the same for every α, so α passes no gradient on.
    """
    eye = jnp.eye(len(W), dtype=W.dtype)
    F = ops.stop_gradient(eye - W)
    power = ops.matmul(F.T, F)
    for _ in range(2):
        power = ops.matmul(power, power)
    alpha = 1.5 * m / jnp.linalg.norm(power) ** 0.25
    return eye - alpha * (eye - W), alpha * q


def mon(params: ops.Tree, batch: Batch, *, fixed_point: FixedPoint) -> tuple[Array, Solution]:
    """Cross-entropy of u* S at u* = relu(u* W + x U + b), W a ``monotone_weight``, by forward–backward steps."""
    q = ops.matmul(batch["x"], params["U"]) + params["b"]
    W = monotone_weight(ops.dense(params["A"]), ops.dense(params["B"]), batch["m"])
    found = fixed_point(relu_step, jnp.zeros_like(q), forward_backward(W, q, batch["m"]))
    return ops.cross_entropy(ops.matmul(found.value, params["S"]), batch["y"]), found


def averaged_step(u: State, args: tuple[Array, Array]) -> State:
    """R(u; W, xU) = ½ u + ½ tanh(u W + x U)."""
    W, xU = args
    return 0.5 * u + 0.5 * jnp.tanh(ops.matmul(u, W) + xU)


def averaged(params: ops.Tree, batch: Batch, *, fixed_point: FixedPoint) -> tuple[Array, Solution]:
    """½‖u* − y‖²/batch at u* = ½ u* + ½ tanh(u* W + x U)."""
    xU = ops.matmul(batch["x"], params["U"])
    found = fixed_point(averaged_step, jnp.zeros_like(xU), (params["W"], xU))
    return half_square(found.value, batch["y"]), found


NETWORKS: dict[str, Any] = {"elghaoui": elghaoui, "mon": mon, "averaged": averaged}
