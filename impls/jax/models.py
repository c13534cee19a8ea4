"""Each problem's loss: loss(params, batch) -> (value, ()), or of an implicit one, which takes the fixed point function
that it is to use as an argument, loss(params, batch, fixed_point=...) -> (value, Solution).

Matmuls and convolutions go through ``ops`` alone. What depends on the data only is computed once, outside step, and
enters it as an argument.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from impls.jax import ops
from impls.jax.solvers import Solution, State
from impls.jax.types import FixedPoint, Loss
from impls.names import pick

Batch = Mapping[str, Array]
Square = Float[Array, "n n"]


def mlp(params: ops.Tree, batch: Batch) -> tuple[Array, tuple[()]]:
    """Cross-entropy of x W₁ + b₁ → ReLU → … → x W_L + b_L."""
    x = batch["x"]
    for layer in params[:-1]:
        x = jax.nn.relu(ops.matmul(x, layer["W"]) + layer["b"])
    return ops.cross_entropy(ops.matmul(x, params[-1]["W"]) + params[-1]["b"], batch["y"]), ()


def cnn(params: ops.Tree, batch: Batch) -> tuple[Array, tuple[()]]:
    """Cross-entropy of four convolutions with ReLU, pooled after every second one, and two dense layers."""
    x = batch["x"]
    for index, layer in enumerate(params[:4]):
        x = jax.nn.relu(ops.conv2d(x, layer["W"]) + layer["b"])
        if index % 2:
            x = ops.max_pool(x, 2)
    return mlp(params[4:], {**batch, "x": x.reshape(len(x), -1)})


def beale(params: ops.Tree, batch: Batch) -> tuple[Array, tuple[()]]:
    """(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²."""
    x, y = params["xy"]
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2, ()


def rosenbrock(params: ops.Tree, batch: Batch) -> tuple[Array, tuple[()]]:
    """(1 − x)² + 100 (y − x²)²."""
    x, y = params["xy"]
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2, ()


def half_square(z: Float[Array, "b n"], y: Float[Array, "b n"]) -> Float[Array, ""]:
    """½‖z − y‖²/batch."""
    return 0.5 * jnp.square(z - y).sum() / len(z)


def linear_step(z: State, args: tuple[Array, Array]) -> State:
    """R(z; A, xB) = z A + x B."""
    A, xB = args
    return ops.matmul(z, A) + xB


def linear(params: ops.Tree, batch: Batch, *, fixed_point: FixedPoint) -> tuple[Array, Solution]:
    """½‖z* − y‖²/batch at z* = z* A + x B."""
    xB = ops.matmul(batch["x"], params["B"])
    found = fixed_point(linear_step, jnp.zeros_like(xB), (params["A"], xB))
    return half_square(found.value, batch["y"]), found


def tanh_step(z: State, args: tuple[Array, Array]) -> State:
    """R(z; W, xU) = tanh(z W + x U)."""
    W, xU = args
    return jnp.tanh(ops.matmul(z, W) + xU)


def tanh(params: ops.Tree, batch: Batch, *, fixed_point: FixedPoint) -> tuple[Array, Solution]:
    """½‖z* − y‖²/batch at z* = tanh(z* W + x U)."""
    xU = ops.matmul(batch["x"], params["U"])
    found = fixed_point(tanh_step, jnp.zeros_like(xU), (params["W"], xU))
    return half_square(found.value, batch["y"]), found


def fpn_step(u: State, args: tuple[Array, Array]) -> State:
    """R(u; W, q) = tanh(u ∗ W + q), circular convolution."""
    W, q = args
    return jnp.tanh(ops.conv2d(u, W, circular=True) + q)


def encode(params: ops.Tree, images: Float[Array, "b h w 1"]) -> State:
    """Q(d): Q1, then max pooling where images are larger than 8 × 8 by a factor, then tanh and Q2, and so on.

    Pooling before tanh gives what pooling after it would, since tanh is monotone.
    """
    q, factor = ops.conv2d(images, params["Q1"]), images.shape[1] // 8
    if factor > 1:
        q = ops.max_pool(q, factor)
    for k in range(2, len(params) - 1):  # R and S are no part of it
        q = ops.conv2d(jnp.tanh(q), params[f"Q{k}"])
    return q


def fpn(params: ops.Tree, batch: Batch, *, fixed_point: FixedPoint) -> tuple[Array, Solution]:
    """Cross-entropy of S(u*), u* = R(u*, Q(d)), Q convolutions with tanh between."""
    q = encode(params, batch["x"])
    found = fixed_point(fpn_step, jnp.zeros_like(q), (params["R"], q))
    logits = ops.matmul(found.value.reshape(len(q), -1), params["S"])
    return ops.cross_entropy(logits, batch["y"]), found


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


LOSSES: dict[str, Any] = {
    "mlp": mlp,
    "logistic": mlp,
    "cnn": cnn,
    "beale": beale,
    "rosenbrock": rosenbrock,
    "linear": linear,
    "tanh": tanh,
    "newton": tanh,
    "fpn": fpn,
    "elghaoui": elghaoui,
    "mon": mon,
    "averaged": averaged,
}


def loss(problem: str, fixed_point: FixedPoint | None = None) -> Loss:
    """The loss of a problem, with the fixed point function of an implicit one bound."""
    found = pick("problem", problem, LOSSES)
    return partial(found, fixed_point=fixed_point) if fixed_point else found
