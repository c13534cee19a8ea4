"""The frameworks' own forward gradient: ``torch.func.jvp`` or ``jax.jvp`` along dense gaussian tangents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bench.peers.cells import PeerCell
from bench.peers.contenders import Contender
from bench.peers.ladders import Ladder
from bench.peers.plain import jax_functions, torch_functions


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
