"""A weight with the tangent that forward mode gives it, for products that know what a tangent is made of.

    y = x W,   ẏ = ẋ W + x V

V may be ``Factored``, which makes x V a product with a vector. An x without a tangent, such as data, needs no ẋ W,
where forward mode by itself multiplies a tangent of zeros.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
import torch.autograd.forward_ad as fwd
from torch import Tensor

from impls.stands_for import stands_for_dual
from impls.torch.factored import Bilinear, Factored

Direction: TypeAlias = Tensor | Factored


@stands_for_dual
@dataclass(frozen=True)
class Perturbed:
    """W along V. Whatever but ``product`` meets it takes ``dual()`` in its place."""

    value: Tensor
    tangent: Direction

    @property
    def shape(self) -> torch.Size:
        """That of W."""
        return self.value.shape

    @property
    def ndim(self) -> int:
        """That of W."""
        return self.value.ndim

    def product(self, op: Bilinear, x: Tensor) -> Tensor:
        """op(x, W) with its tangent op(ẋ, W) + op(x, V). ``TypeError`` where a graph is recorded through x: it would
        miss what its own derivative owes to V."""
        if x.requires_grad and torch.is_grad_enabled():
            raise TypeError(_RECORDED)
        x, dx = fwd.unpack_dual(x)
        if dx is None:
            return fwd.make_dual(op(x, self.value), through(self.tangent, op, x))
        return fwd.make_dual(op(x, self.value), op(dx, self.value).add_(through(self.tangent, op, x)))

    def dual(self) -> Tensor:
        """W as an array whose tangent is one too."""
        return fwd.make_dual(self.value, dense(self.tangent))

    @classmethod
    def __torch_function__(
        cls, fn: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        return fn(*_dual(args), **_dual(kwargs or {}))


def _dual(nest: Any) -> Any:
    """A nest of arguments with arrays in the place of weights along a tangent."""
    if isinstance(nest, list | tuple):
        return type(nest)(map(_dual, nest))
    if isinstance(nest, dict):
        return {name: _dual(one) for name, one in nest.items()}
    return nest.dual() if isinstance(nest, Perturbed) else nest


def perturbed(p: Tensor, v: Direction) -> Perturbed | Tensor:
    """p along v: a weight as ``Perturbed``, a vector or number with its tangent at once."""
    return Perturbed(p, v) if p.ndim > 1 else fwd.make_dual(p, dense(v))


def dense(v: Direction) -> Tensor:
    """A tangent as an array."""
    return v.dense() if isinstance(v, Factored) else v


def through(v: Direction, op: Bilinear, x: Tensor) -> Tensor:
    """op(x, V)."""
    return v.through(op, x) if isinstance(v, Factored) else op(x, v)


_RECORDED = (
    "A weight along a tangent was multiplied with a state whose graph is recorded, as by Newton's method: "
    "give step the arrays that ops.dense makes of its arguments."
)
