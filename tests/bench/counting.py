"""A method on a problem counted by the suite's instruments, without building a cell: no oracle, no compilation."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np

from bench.instruments import jax_work, torch_work
from bench.job import Binding
from bench.subjects import loss_of
from impls import problems


def counts(
    framework: str,
    problem: problems.Problem,
    method: str,
    options: Mapping[str, Any],
    gradient: str,
    device: str = "cpu",
) -> tuple[int, int]:
    """Counted flops of the plain forward and of the gradient call."""
    given = {"tangents": "given"} if gradient == "forward_gradient" else {}
    bound = Binding(framework, method, {**options, **given}, gradient)
    loss, plain = (loss_of(framework, problem.name, one.fixed_point()) for one in (bound, bound.plain))
    fn = bound.value_and_grad(loss)
    tangents = _tangents(problem.params, options.get("count", 1)) if given else None
    params, batch, rng = (_arrays(framework, nest) for nest in (problem.params, dict(problem.batch), tangents))
    if framework == "jax":
        return jax_work.flops(plain, params, batch), jax_work.flops(fn, params, batch, rng)
    torch = import_module("torch")
    params, batch, rng = (_on(device, nest) for nest in (params, batch, rng))
    with torch.no_grad():
        forward = torch_work.flops(lambda: plain(params, batch))
    return forward, torch_work.flops(lambda: fn(params, batch, rng))


def _tangents(tree: Any, count: int) -> Any:
    """Given tangents, with a leading axis where there are several."""
    if isinstance(tree, dict):
        return {key: _tangents(value, count) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_tangents(value, count) for value in tree]
    return np.ones(tree.shape if count == 1 else (count, *tree.shape))


def _arrays(framework: str, nest: Any) -> Any:
    if nest is None:
        return None
    numpy = import_module("torch" if framework == "torch" else "jax.numpy")
    make = numpy.as_tensor if framework == "torch" else numpy.asarray
    ops = import_module(f"impls.{framework}.ops")
    return ops.tree_map(
        lambda x: make(x.astype(np.float32) if x.dtype.kind == "f" else x.astype(_whole(framework))), nest
    )


def _on(device: str, nest: Any) -> Any:
    return nest if nest is None else import_module("impls.torch.ops").tree_map(lambda x: x.to(device), nest)


def _whole(framework: str) -> type:
    return np.int64 if framework == "torch" else np.int32
