"""Derivatives in jax as a user writes them. Only the process that tries jax imports it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Value = Callable[[Any], Any]
"""params -> loss, a number."""


class Calls:
    """Derivatives of ``value`` at params, a nest of arrays; v is shaped as params. All return nests of arrays."""

    def __init__(self) -> None:
        import jax

        from impls.jax import ops

        self._jax, self._ops = jax, ops
        self.second = {
            "reverse_over_reverse": lambda value, params, v: self.again(jax.grad(value), params, v),
            "forward_over_reverse": lambda value, params, v: jax.jvp(jax.grad(value), (params,), (v,))[1],
            "reverse_over_forward": lambda value, params, v: jax.grad(lambda p: jax.jvp(value, (p,), (v,))[1])(params),
        }

    def reverse(self, value: Value, params: Any) -> Any:
        """The gradient, by ``jax.grad``."""
        return self._jax.grad(value)(params)

    def slope(self, value: Value, params: Any, v: Any) -> float:
        """∇L·v, by ``jax.jvp``."""
        return float(self._jax.jvp(value, (params,), (v,))[1])

    def again(self, gradient: Callable[[Any], Any], params: Any, v: Any) -> Any:
        """The derivative of ⟨gradient(params), v⟩, by reverse mode."""
        return self._jax.grad(lambda p: self._dot(gradient(p), v))(params)

    def compiled(self, fn: Callable[..., Any], *args: Any) -> Any:
        """``fn(*args)``, compiled by ``jax.jit``."""
        return self._jax.jit(fn)(*args)

    def compiled_value(self, value: Value, params: Any) -> Any:
        """The gradient of a compiled loss, as a training loop takes it."""
        return self.reverse(self._jax.jit(value), params)

    def each(self, fn: Callable[[Any, Any], Any], params: Any, batches: Any) -> Any:
        """``fn(params, batch)`` for every batch at once, by ``jax.vmap``."""
        return self._jax.vmap(fn, in_axes=(None, 0))(params, batches)

    def gradients(self, loss: Callable[[Any, Any], Any], params: Any, batches: Any) -> Any:
        """The gradient of each batch's loss, by ``jax.vmap`` of ``jax.grad``."""
        return self.each(self._jax.grad(loss), params, batches)

    def rows(self, nest: Any) -> np.ndarray:
        """One row for each place on the leading axis of all arrays."""
        return np.concatenate([np.asarray(leaf).reshape(len(leaf), -1) for leaf in self._ops.leaves(nest)], axis=1)

    def _dot(self, nest: Any, v: Any) -> Any:
        return sum((g * d).sum() for g, d in zip(self._ops.leaves(nest), self._ops.leaves(v), strict=True))
