"""Each problem's loss. An implicit one takes the fixed point function that it is to use as an argument.

Matmuls and convolutions go through ``ops`` alone. What depends on the data only is computed once, outside step.
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


def mlp(params: ops.Tree, batch: Batch) -> tuple[Array, tuple[()]]:
    """Cross-entropy of x W₁ + b₁ → ReLU → … → x W_L + b_L."""
    x = batch["x"]
    for layer in params[:-1]:
        x = jax.nn.relu(ops.matmul(x, layer["W"]) + layer["b"])
    return ops.cross_entropy(ops.matmul(x, params[-1]["W"]) + params[-1]["b"], batch["y"]), ()


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


def fpn(params: ops.Tree, batch: Batch, *, fixed_point: FixedPoint) -> tuple[Array, Solution]:
    """Cross-entropy of S(u*), u* = R(u*, Q(d)), Q two convolutions with tanh between."""
    q = ops.conv2d(jnp.tanh(ops.conv2d(batch["x"], params["Q1"])), params["Q2"])
    found = fixed_point(fpn_step, jnp.zeros_like(q), (params["R"], q))
    logits = ops.matmul(found.value.reshape(len(q), -1), params["S"])
    return ops.cross_entropy(logits, batch["y"]), found


LOSSES: dict[str, Any] = {"mlp": mlp, "linear": linear, "tanh": tanh, "newton": tanh, "fpn": fpn}


def loss(problem: str, fixed_point: FixedPoint | None = None) -> Loss:
    """The loss of a problem, with the fixed point function of an implicit one bound."""
    found = pick("problem", problem, LOSSES)
    return partial(found, fixed_point=fixed_point) if fixed_point else found
