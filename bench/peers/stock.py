"""The problems in the fewest lines of each framework, as users of other libraries write them, and the frameworks' own
forward gradient: ``torch.func.jvp`` or ``jax.jvp`` along dense gaussian tangents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from bench.peers.cells import PeerCell
from bench.peers.contenders import Contender, Ladder


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


def options(contender: Contender, framework: str, cell: PeerCell) -> tuple[Ladder, ...]:
    """Nothing to choose."""
    return (Ladder(),)


def gradient(
    contender: Contender, framework: str, cell: PeerCell, K: int | None, options: Mapping[str, Any]
) -> Callable[..., Any]:
    """fn(params, batch, rng) -> (value, (∇L·v) v), v drawn inside the call."""
    return _torch() if framework == "torch" else _jax()


def _torch() -> Callable[..., Any]:
    import torch
    from torch.utils import _pytree as pytree

    mlp = torch_functions().mlp

    def fn(params: Any, batch: Any, rng: Any) -> tuple[Any, Any]:
        v = pytree.tree_map(lambda p: torch.randn(p.shape, generator=rng, dtype=p.dtype), params)
        value, slope = torch.func.jvp(lambda p: mlp(p, batch), (params,), (v,))
        return value, pytree.tree_map(lambda one: slope * one, v)

    return fn


def _jax() -> Callable[..., Any]:
    import jax

    mlp = jax_functions().mlp

    def fn(params: Any, batch: Any, rng: Any) -> tuple[Any, Any]:
        flat, shape = jax.tree.flatten(params)
        keys = jax.random.split(rng, len(flat))
        drawn = [jax.random.normal(key, p.shape, p.dtype) for key, p in zip(keys, flat, strict=True)]
        v = jax.tree.unflatten(shape, drawn)
        value, slope = jax.jvp(lambda p: mlp(p, batch), (params,), (v,))
        return value, jax.tree.map(lambda one: slope * one, v)

    return fn
