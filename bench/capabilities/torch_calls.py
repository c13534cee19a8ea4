"""Derivatives in torch as a user writes them. Only the process that tries torch imports it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Value = Callable[[Any], Any]
"""params -> loss, a number."""


class Calls:
    """Derivatives of ``value`` at params, a nest of arrays; v is shaped as params. All return nests of arrays."""

    def __init__(self) -> None:
        import torch
        import torch.autograd.forward_ad

        from impls.torch import ops

        self._torch, self._fwd, self._ops = torch, torch.autograd.forward_ad, ops
        self.second = {
            "reverse_over_reverse": self._reverse_over_reverse,
            "forward_over_reverse": self._forward_over_reverse,
            "reverse_over_forward": self._reverse_over_forward,
        }

    def reverse(self, value: Value, params: Any) -> Any:
        """The gradient, by ``autograd.grad``."""
        params = self._leaves(params)
        return self._grad(value(params), params)

    def slope(self, value: Value, params: Any, v: Any) -> float:
        """∇L·v, by ``forward_ad``."""
        with self._torch.no_grad(), self._fwd.dual_level():
            return float(self._fwd.unpack_dual(value(self._along(params, v))).tangent)

    def again(self, gradient: Callable[[Any], Any], params: Any, v: Any) -> Any:
        """The derivative of ⟨gradient(params), v⟩, by reverse mode."""
        params = self._leaves(params)
        return self._grad(self._dot(gradient(params), v), params)

    def compiled(self, fn: Callable[..., Any], *args: Any) -> Any:
        """``fn(*args)``, compiled by ``torch.compile`` with ``autograd.grad`` inside the graph, as in this bench."""
        with self._compiler(trace_autograd_ops=True):
            return self._torch.compile(fn, backend=BACKEND, dynamic=False)(*args)

    def compiled_value(self, value: Value, params: Any) -> Any:
        """The gradient of a compiled loss, as a training loop takes it."""
        with self._compiler():
            return self.reverse(self._torch.compile(value, backend=BACKEND, dynamic=False), params)

    def each(self, fn: Callable[[Any, Any], Any], params: Any, batches: Any) -> Any:
        """``fn(params, batch)`` for every batch at once, by ``torch.func.vmap``."""
        return self._torch.func.vmap(fn, in_dims=(None, 0))(params, batches)

    def gradients(self, loss: Callable[[Any, Any], Any], params: Any, batches: Any) -> Any:
        """The gradient of each batch's loss, by ``torch.func.vmap`` of ``torch.func.grad``."""
        return self.each(self._torch.func.grad(loss), params, batches)

    def rows(self, nest: Any) -> np.ndarray:
        """One row for each place on the leading axis of all arrays."""
        return np.concatenate([leaf.detach().flatten(1).numpy() for leaf in self._ops.leaves(nest)], axis=1)

    # ------------------------------------------------------------------------------------------------------------

    def _reverse_over_reverse(self, value: Value, params: Any, v: Any) -> Any:
        params = self._leaves(params)
        return self._grad(self._dot(self._grad(value(params), params, create_graph=True), v), params)

    def _forward_over_reverse(self, value: Value, params: Any, v: Any) -> Any:
        with self._fwd.dual_level():
            params = self._along(self._leaves(params), v)
            found = self._grad(value(params), params)
            return self._ops.tree_map(lambda g: self._fwd.unpack_dual(g).tangent, found)

    def _reverse_over_forward(self, value: Value, params: Any, v: Any) -> Any:
        params = self._leaves(params)
        with self._fwd.dual_level():
            return self._grad(self._fwd.unpack_dual(value(self._along(params, v))).tangent, params)

    def _leaves(self, params: Any) -> Any:
        return self._ops.tree_map(lambda p: p.detach().clone().requires_grad_(), params)

    def _along(self, params: Any, v: Any) -> Any:
        return self._ops.tree_map(self._fwd.make_dual, params, v)

    def _dot(self, nest: Any, v: Any) -> Any:
        return sum((g * d).sum() for g, d in zip(self._ops.leaves(nest), self._ops.leaves(v), strict=True))

    def _grad(self, value: Any, params: Any, **how: Any) -> Any:
        flat = self._ops.leaves(params)
        grads = dict(zip(map(id, flat), self._torch.autograd.grad(value, flat, **how), strict=True))
        return self._ops.tree_map(lambda p: grads[id(p)], params)

    def _compiler(self, **settings: Any) -> Any:
        """Settings for compiling; what was compiled before is forgotten."""
        from torch import _dynamo  # a second of imports

        _dynamo.reset()
        return _dynamo.config.patch(recompile_limit=64, **settings)


BACKEND = "aot_eager"
"""Traces forward and backward pass as any backend does, and generates no machine code."""
