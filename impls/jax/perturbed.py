"""A weight with the tangent that forward mode gives it, for products that know what a tangent is made of.

    y = x W,   ẏ = ẋ W + x V

V may be ``Factored``, which makes x V a product with a vector. An x without a tangent, such as data, needs no ẋ W.

The weight is an array of jax like any other, so that all of jax takes it; a product that finds it with ``along`` gets
its tangent the cheaper way. Inside a transformation it is another array, and its tangent is multiplied with as one.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import jax
from jax import Array
from jax.custom_derivatives import SymbolicZero

from impls.jax.factored import Bilinear, Factored

Direction: TypeAlias = Array | Factored


@dataclass(frozen=True)
class Perturbed:
    """W + eps·V at eps = 0, a number that alone has a tangent."""

    value: Array
    tangent: Direction
    eps: Array

    def product(self, op: Bilinear, x: Array) -> Array:
        """op(x, W) with its tangent op(ẋ, W) + op(x, V). ``TypeError`` where W itself has another tangent."""
        return _product(op, x, self.value, self.tangent, self.eps)

    def dual(self) -> Array:
        """W as an array whose tangent is one too, unknown to ``along``."""
        return _dual(self.value, self.tangent, self.eps)


_KNOWN: dict[int, tuple[weakref.ref[Array], Perturbed]] = {}
"""What each living array that ``perturbed`` has returned is made of, by its identity: tracers have no other name."""


def perturbed(p: Array, v: Direction, eps: Array) -> Array:
    """p along v; of a weight, which is what has two axes or more, ``along`` tells how."""
    made = Perturbed(p, v, eps)
    found = made.dual()
    if p.ndim > 1 and found is not p:
        key = id(found)
        _KNOWN[key] = weakref.ref(found, lambda _: _KNOWN.pop(key, None)), made
    return found


def along(w: Any) -> Perturbed | None:
    """What a weight along a tangent is made of; None for any other array."""
    known = _KNOWN.get(id(w))
    return known[1] if known else None


def dense(v: Direction) -> Array:
    """A tangent as an array."""
    return v.dense() if isinstance(v, Factored) else v


def through(v: Direction, op: Bilinear, x: Array) -> Array:
    """op(x, V)."""
    return v.through(op, x) if isinstance(v, Factored) else op(x, v)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _product(op: Bilinear, x: Array, w: Array, v: Direction, eps: Array) -> Array:
    return op(x, w)


@partial(_product.defjvp, symbolic_zeros=True)
def _product_rule(op: Bilinear, primals: Any, tangents: Any) -> tuple[Array, Array]:
    x, w, v, eps = primals
    dx, dw, _, deps = tangents
    if not _zero(dw):
        raise TypeError(_TWICE)
    if _zero(dx):
        return op(x, w), through(v, op, x) * deps.astype(x.dtype)
    if _zero(deps):
        # A derivative in x alone, inside: the one along V is still to come, and jax forgets custom rules of tangents.
        return _product(op, x, w, v, eps), op(dx, w) + through(v, op, dx) * eps.astype(dx.dtype)
    return op(x, w), op(dx, w) + through(v, op, x) * deps.astype(x.dtype)


@jax.custom_jvp
def _dual(p: Array, v: Direction, eps: Array) -> Array:
    return p


@partial(_dual.defjvp, symbolic_zeros=True)
def _dual_rule(primals: Any, tangents: Any) -> tuple[Array, Array]:
    p, v, _ = primals
    if not _zero(tangents[0]):
        raise TypeError(_TWICE)
    return p, dense(v) * tangents[2].astype(p.dtype)


def _zero(tangent: Any) -> bool:
    return isinstance(tangent, SymbolicZero)


_TWICE = "A weight along a tangent was differentiated once more: only one direction at a time goes through it."
