"""A nest of jax arrays, any pytree, taken apart into what gets a gradient and what does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bench.own.digest import installed
from bench.own.nest import Constant, Nest, Node, Opened, Position, attributes, floats, inexact, key, numbers

STATIC = "{} {} static in a pytree and {} no gradient."


class Arrays:
    """The twin of ``torch_nest.Arrays``: jax's arrays and numpy's, and registered pytrees, an Equinox module too."""

    framework, offer = "jax", "registered pytree"

    def __init__(self, *, double: bool = False, in_reals: bool = False) -> None:
        import jax

        self._jax, self._double, self._in_reals = jax, double, in_reals

    def take(self, nest: Nest, one: Any, path: str) -> Position | Node | Constant | None:
        """An array."""
        if isinstance(one, np.ndarray) and (one.dtype.kind in "biu" or inexact(one)):
            one = self._jax.numpy.asarray(one)
        if not isinstance(one, self._jax.Array):
            return None
        array, leaf = self.cast(one), inexact(one)
        in_reals = leaf and self._in_reals and not nest.fixed and "complex" in str(array.dtype)
        return nest.put(self.apart(array) if in_reals else array, path, leaf=leaf, in_reals=in_reals)

    def opened(self, nest: Nest, one: Any, path: str) -> Opened | None:
        """One level of a pytree. Arrays and numbers in its static part are named, and get no gradient."""
        found, tree = self._jax.tree_util.tree_flatten_with_path(one, is_leaf=lambda other: other is not one)
        if found and not found[0][0]:
            return None
        keys = [self._key(more[0], entry, one) for more, entry in found]
        if type(one) not in (dict, list, tuple, type(None)) and tree.node_data() is not None and not nest.fixed:
            for where in _static(one, tree.node_data()[1], path, keys):
                nest.passed_over(where, STATIC)
        return Opened(keys, [entry for _, entry in found], tree.unflatten)

    def finish(self, nest: Nest) -> None:
        """Nothing."""

    def call(self, nest: Nest, leaves: list[Any], held: list[Any], body: Callable[[Any], Any]) -> Any:
        """``body(nest)`` with these arrays in their places."""
        return body(nest.filled(leaves, held))

    def joined(self, reals: Any) -> Any:
        """Complex numbers, a copy."""
        return self._jax.lax.complex(reals[..., 0], reals[..., 1])

    def apart(self, array: Any) -> Any:
        """Complex numbers as pairs of real ones, a copy."""
        return self._jax.numpy.stack([array.real, array.imag], -1)

    def cast(self, array: Any) -> Any:
        """In float64 where that was asked for and it is of floating numbers; jax's arrays never change."""
        if not (self._double and inexact(array)):
            return array
        to = np.complex128 if "complex" in str(array.dtype) else np.float64
        return self._jax.numpy.asarray(np.asarray(array, to))  # a cast in jax is a compilation a shape

    def _key(self, at: Any, entry: Any, one: Any) -> str:
        """What a key of a pytree adds to a path; where a class gives numbers alone, the attribute it stands for."""
        if hasattr(at, "name"):
            return f".{at.name}"
        if hasattr(at, "idx"):
            return f"[{at.idx}]"
        if isinstance(at, self._jax.tree_util.FlattenedIndexKey):
            return next((name for name, inner in attributes(one) if inner is entry), f"[{at.key}]")
        return key(at.key)


def _static(one: Any, data: Any, path: str, keys: list[str]) -> list[str]:
    """Paths of the floating arrays in the static part of a pytree, and of the plain numbers where its class is the
    caller's, by the attributes that hold them. keys: of its other entries."""

    def held(inner: Any, path: str) -> list[tuple[str, Any]]:
        return [*floats(inner, path), *([] if installed(type(one)) else numbers(inner, path))]

    known: dict[int, list[str]] = {}
    for name, inner in attributes(one):
        for where, value in held(inner, path + name) if name not in keys else []:
            known.setdefault(id(value), []).append(where)
    found = held(data, f"{path} (its static part)")
    return [known[id(value)].pop(0) if known.get(id(value)) else where for where, value in found]
