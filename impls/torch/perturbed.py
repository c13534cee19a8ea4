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

from impls.torch.factored import Bilinear, Factored

Direction: TypeAlias = Tensor | Factored


@dataclass(frozen=True, eq=False, repr=False)
class Perturbed:
    """W along V. Whatever but ``product`` meets it takes ``dual()`` in its place: functions of torch, operators and
    attributes. ``TypeError`` for a change in place, which would pass its tangent by."""

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
        kwargs = kwargs or {}
        changed = [args[0]] if args and (_in_place(fn.__name__) or kwargs.get("inplace")) else []
        if any(isinstance(one, Perturbed) for one in (*changed, kwargs.get("out"))):
            raise TypeError(_CHANGED)
        return fn(*_dual(args), **_dual(kwargs))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # protocols of Python's own, such as copying
            raise AttributeError(name)
        if _in_place(name):
            raise TypeError(_CHANGED)
        return getattr(self.dual(), name)

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError(_CHANGED)

    def __repr__(self) -> str:
        return f"Perturbed({tuple(self.shape)})"


def _operator(name: str) -> Callable[..., Any]:
    return lambda self, *args: getattr(self.dual(), name)(*args)


_BINARY = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")
for _name in (
    *_BINARY,
    *(f"r{one}" for one in _BINARY),
    *("lt", "le", "gt", "ge", "eq", "ne", "neg", "pos", "abs", "invert"),
    *("getitem", "len", "iter", "contains", "bool", "int", "float", "array"),
):
    setattr(Perturbed, f"__{_name}__", _operator(f"__{_name}__"))


def _in_place(name: str) -> bool:
    """Whether a function of torch or a method of a tensor changes its first argument, by its name."""
    return name.endswith("_") and not name.endswith("__")


def _dual(nest: Any) -> Any:
    """A nest of arguments with arrays in the place of weights along a tangent."""
    if isinstance(nest, list | tuple):
        made = map(_dual, nest)
        return type(nest)(*made) if hasattr(nest, "_fields") else type(nest)(made)
    if isinstance(nest, dict):
        return {name: _dual(one) for name, one in nest.items()}
    return nest.dual() if isinstance(nest, Perturbed) else nest


def perturbed(p: Tensor, v: Direction) -> Perturbed | Tensor:
    """p along v: a weight as ``Perturbed``, a vector or number with its tangent at once."""
    return Perturbed(p, v) if p.ndim > 1 else fwd.make_dual(p, dense(v))


def along(w: Any) -> Perturbed | None:
    """What a weight along a tangent is made of; None for any other array."""
    return w if isinstance(w, Perturbed) else None


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

_CHANGED = (
    "A weight along a tangent was to be changed in place, and its tangent would not follow: "
    "make a new tensor of it, or give loss the arrays that ops.dense makes of its params."
)
