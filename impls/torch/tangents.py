"""Tangents for forward gradients: laws with E[v vᵀ] = I over the n concatenated parameters.

law(rng, params, index) -> the tangent with that index among several; random ones take theirs from ``rng`` alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from impls.names import pick
from impls.torch.factored import Factored
from impls.torch.ops import Tree, leaves, tree_map

Tangents = str | Tree
Sample = Callable[[Any, Tree, int], tuple[Tree, bool]]


def normal(rng: torch.Generator, like: Tensor) -> Tensor:
    """N(0, 1), shaped as ``like``."""
    return torch.empty_like(like).normal_(generator=rng)


def gaussian(rng: torch.Generator, params: Tree, index: int = 0) -> Tree:
    """v_i ~ N(0, 1). Error n + 1."""
    return tree_map(lambda p: normal(rng, p), params)


def rademacher(rng: torch.Generator, params: Tree, index: int = 0) -> Tree:
    """v_i = ±1. Error n − 1, the least there is."""
    return tree_map(lambda p: torch.empty_like(p).random_(0, 2, generator=rng).mul_(2).sub_(1), params)


def sphere(rng: torch.Generator, params: Tree, index: int = 0) -> Tree:
    """v = √n u, u uniform on the unit sphere. Error n − 1."""
    drawn = gaussian(rng, params)
    square = sum((torch.linalg.vector_norm(v) ** 2 for v in leaves(drawn)), torch.tensor(0.0))
    scale = (sum(v.numel() for v in leaves(drawn)) / square) ** 0.5
    return tree_map(lambda v: v.mul_(scale.to(v)), drawn)


def factored(rng: torch.Generator, params: Tree, index: int = 0) -> Tree:
    """v = a ⊗ b for each weight, a_i = ±1 and b_j = ±1; vectors as ``rademacher``. Error n − 1; its fourth moment is
    larger, up to 9 (∇L·v)² squared on average for 3 of gaussian. n numbers cost as few draws as there are signs."""
    params = tree_map(Tensor.detach, params)  # where one tensor stands twice, two
    flat = leaves(params)
    counts = [(p.numel() // p.shape[-1], p.shape[-1]) if p.ndim > 1 else (p.numel(),) for p in flat]
    like = flat[0]
    signs = torch.empty(sum(map(sum, counts)), dtype=like.dtype, device=like.device)
    pieces = iter(signs.random_(0, 2, generator=rng).mul_(2).sub_(1).split([n for each in counts for n in each]))

    def made(p: Tensor) -> Tensor | Factored:
        a, *b = (next(pieces).to(p.dtype) for _ in range(min(p.ndim, 2) or 1))
        return Factored(a.view(p.shape[:-1]), *b) if b else a.view(p.shape)

    found = {id(p): made(p) for p in flat}
    return tree_map(lambda p: found[id(p)], params)


def basis(rng: Any, params: Tree, index: int = 0) -> Tree:
    """v = √n e_i with i = index modulo n; nothing is drawn. Error n − 1 on average over i, and 0 for count = n."""
    made = tree_map(lambda p: torch.zeros_like(p, memory_format=torch.contiguous_format), params)
    n = sum(v.numel() for v in leaves(made))
    place = index % n
    for v in leaves(made):
        if 0 <= place < v.numel():
            v.view(-1)[place] = n**0.5
        place -= v.numel()
    return made


LAWS: dict[str, Callable[[Any, Tree, int], Tree]] = {
    "gaussian": gaussian,
    "rademacher": rademacher,
    "sphere": sphere,
    "factored": factored,
    "basis": basis,
}


def sampler(tangents: Tangents, count: int) -> Sample:
    """sample(rng, params, index) -> (tangent, whether it may be overwritten).

    tangents: a law's name (rng is then a ``torch.Generator``, left advanced); arrays shaped as params, with a leading
    axis ``count`` when count > 1; or "given": rng itself holds such arrays, so that they enter as arguments.
    """
    if not isinstance(count, int) or count < 1:
        raise ValueError(f"forward_gradient: count must be a whole number from 1 up, not {count!r}.")
    if isinstance(tangents, str) and tangents != "given":
        law = pick("law of tangents", tangents, {**LAWS, "given": gaussian})
        return lambda rng, params, index: (law(rng, params, index), True)

    def given(rng: Any, params: Tree, index: int) -> tuple[Tree, bool]:
        arrays = rng if isinstance(tangents, str) else tangents
        chosen = tree_map(lambda v: v[index], arrays) if count > 1 else arrays
        return tree_map(_fitting, params, chosen), False

    return given


def _fitting(p: Tensor, v: Tensor) -> Tensor:
    if p.shape != v.shape:
        raise ValueError(
            f"forward_gradient: a tangent of shape {tuple(v.shape)} was given for a parameter of shape "
            f"{tuple(p.shape)}; tangents are shaped as params, with a leading axis count when count > 1."
        )
    return v
