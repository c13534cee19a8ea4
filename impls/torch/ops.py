"""The few array operations that models and methods are written in, and nests of arrays."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.autograd.forward_ad as fwd
from jaxtyping import Float
from torch import Tensor

from impls.checks import require_kernel, require_pool, require_product, require_state
from impls.torch.perturbed import Perturbed, along

Tree = Any
"""Any nest of tuples, lists and dicts of tensors."""


def leaves(tree: Tree) -> list[Tensor]:
    """Arrays of a nest, dict keys sorted, as jax orders them."""
    if isinstance(tree, dict):
        return [leaf for key in sorted(tree) for leaf in leaves(tree[key])]
    if isinstance(tree, (list, tuple)):
        return [leaf for item in tree for leaf in leaves(item)]
    return [tree]


def tree_map(fn: Callable[..., Any], tree: Tree, *rest: Tree) -> Tree:
    """Apply ``fn`` leaf by leaf to nests of one shape."""
    if isinstance(tree, dict):
        return {key: tree_map(fn, tree[key], *(other[key] for other in rest)) for key in tree}
    if isinstance(tree, (list, tuple)):
        mapped = [tree_map(fn, *items) for items in zip(tree, *rest, strict=True)]
        return type(tree)(*mapped) if hasattr(tree, "_fields") else type(tree)(mapped)
    return fn(tree, *rest)


def matmul(x: Float[Tensor, "*b m"], w: Float[Tensor, "m n"] | Perturbed) -> Float[Tensor, "*b n"]:
    """x @ w."""
    if (weight := along(w)) is not None:
        return weight.product(matmul, x)
    if x.ndim == 2:
        try:
            return torch.mm(x, w)  # a third less dispatch than x @ w, and what does not fit is looked at afterwards
        except RuntimeError:
            require_product(x, w)
            raise
    require_product(x, w)
    return x @ w


def conv2d(
    x: Float[Tensor, "b h w i"], w: Float[Tensor, "kh kw i o"] | Perturbed, *, circular: bool = False
) -> Float[Tensor, "b h w o"]:
    """Cross-correlation that keeps the image's size: NHWC images, HWIO odd kernels, zero or circular padding."""
    require_kernel(x, w)
    if (weight := along(w)) is not None:
        return weight.product(partial(conv2d, circular=circular), x)
    kh, kw = w.shape[0] // 2, w.shape[1] // 2
    image, kernel = x.permute(0, 3, 1, 2), w.permute(3, 2, 0, 1)
    if circular:
        image = torch.nn.functional.pad(image, (kw, kw, kh, kh), mode="circular")
        return torch.nn.functional.conv2d(image, kernel).permute(0, 2, 3, 1)
    return torch.nn.functional.conv2d(image, kernel, padding=(kh, kw)).permute(0, 2, 3, 1)


def max_pool(x: Float[Tensor, "b h w c"], size: int) -> Float[Tensor, "b ph pw c"]:
    """The largest pixel of every window of ``size`` × ``size``, in steps of ``size``; a rest at the edges is left out.

    Of equal pixels the first of the window, in the order of rows, gets the derivative: ReLU makes many that are zero.
    """
    require_pool(x, size)
    return torch.nn.functional.max_pool2d(x.permute(0, 3, 1, 2), size).permute(0, 2, 3, 1)


def cross_entropy(logits: Float[Tensor, "b c"], labels: Tensor) -> Float[Tensor, ""]:
    """Mean over the batch of −log softmax(logits)[label]."""
    return torch.nn.functional.cross_entropy(logits, labels)


def as_state(who: str, z: Any) -> Float[Tensor, "b *n"]:
    """``z`` itself; ``ValueError`` for what ``who`` cannot take as a state or as a right-hand side."""
    require_state(who, z, isinstance(z, Tensor) and z.is_floating_point())
    return z


def stop_gradient(tree: Tree) -> Tree:
    """The same values with no derivative in either mode; ``no_grad`` alone would let tangents through."""
    return tree_map(lambda x: (weight.value if (weight := along(x)) is not None else x).detach(), tree)


def dense(tree: Tree) -> Tree:
    """The same nest with weights along a tangent as arrays, for what takes them otherwise than in products."""
    return tree_map(lambda x: weight.dual() if (weight := along(x)) is not None else x, tree)


def first_order(x: Tensor, method: str) -> Tensor:
    """A view of ``x``; a second derivative through it raises, since ``method`` would get it silently wrong."""
    x = x.view_as(x)
    value, tangent = fwd.unpack_dual(x)
    dual = tangent is not None

    def refuse(_: Tensor | None) -> None:
        raise RuntimeError(_SECOND.format(method))

    def guard(g: Tensor | None) -> None:
        if dual or torch.is_grad_enabled():  # the backward pass itself carries tangents, or is being recorded
            refuse(g)

    if tangent is not None and tangent.requires_grad:
        tangent = tangent.view_as(tangent)
        tangent.register_hook(refuse)
        x = fwd.make_dual(value, tangent)
    if x.requires_grad:
        x.register_hook(guard)
    return x


_SECOND = "{} gives first derivatives only, and a second one through it would be wrong: use unrolled for it."
