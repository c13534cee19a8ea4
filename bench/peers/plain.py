"""The problems in the fewest lines of each framework, as users of other libraries would write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Plain(NamedTuple):
    """step(z, W, xU) -> tanh(z W + x U). half_square(z, y) -> ½‖z − y‖²/batch. mlp(params, batch) -> cross-entropy of
    a ReLU net."""

    step: Callable[..., Any]
    half_square: Callable[..., Any]
    mlp: Callable[..., Any]


def torch_functions() -> Plain:
    """In PyTorch."""
    import torch

    def mlp(params: Any, batch: Any) -> Any:
        x = batch["x"]
        for layer in params[:-1]:
            x = torch.relu(x @ layer["W"] + layer["b"])
        return torch.nn.functional.cross_entropy(x @ params[-1]["W"] + params[-1]["b"], batch["y"])

    return Plain(lambda z, W, xU: torch.tanh(z @ W + xU), lambda z, y: 0.5 * (z - y).square().sum() / len(z), mlp)


def jax_functions() -> Plain:
    """In JAX."""
    import jax
    import jax.numpy as jnp

    def mlp(params: Any, batch: Any) -> Any:
        x = batch["x"]
        for layer in params[:-1]:
            x = jax.nn.relu(x @ layer["W"] + layer["b"])
        logs = jax.nn.log_softmax(x @ params[-1]["W"] + params[-1]["b"])
        return -jnp.take_along_axis(logs, batch["y"][:, None], axis=1).mean()

    return Plain(lambda z, W, xU: jnp.tanh(z @ W + xU), lambda z, y: 0.5 * ((z - y) ** 2).sum() / len(z), mlp)


def jax_fixed_point(solve: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """fn(params, batch, rng) -> (value, gradient) of the tanh layer, where ``solve(W, xU)`` finds z*."""
    import jax

    half_square = jax_functions().half_square

    def loss(params: Any, batch: Any) -> Any:
        return half_square(solve(params["W"], batch["x"] @ params["U"]), batch["y"])

    return lambda params, batch, rng: jax.value_and_grad(loss)(params, batch)
