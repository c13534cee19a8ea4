"""Anderson acceleration of z ← f(z), for a fixed point and for the linear system whose iteration is x ← b + J x.

    z_{k+1} = f_k − Σ_i γ_i Δf_i,   γ = argmin ‖r_k − Σ_i γ_i Δr_i‖² + ridge · Σ_i γ_i² ‖Δr_i‖²,   r_k = f_k − z_k

f_k = f(z_k); i runs over the last ``memory`` differences of neighbours, Δr = r_j − r_{j−1} and Δf = f_j − f_{j−1}.
Every sample has its own γ. Where differences are dependent, zero or rounding alone, the ridge keeps their γ small; it
should be well above the unit roundoff, since Gram matrices are solved. Where f is linear, all differences are kept and
the ridge tends to 0, z_{k+1} is f of the k-th iterate of GMRES. This is type II without damping.
Cost a step: 3 · memory vector products. Memory: 2 · memory + 6 states, and one memory × memory matrix a sample, in
float32 where states have fewer digits.
Source: Anderson 1965; Walker and Ni 2011.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from impls.checks import require_same_state, require_steps, require_window
from impls.torch.linear_solution import LinearMap, LinearSolution, State, solution
from impls.torch.norms import largest_ratio, sample_norms, sizes, widened
from impls.torch.ops import as_state

Rows = Float[Tensor, "b n"]


@dataclass(frozen=True)
class Anderson:
    """A forward solver. Cost: K evaluations of step. tol: stop once ‖step(z) − z‖/‖z‖ ≤ tol, at step(z)."""

    steps: int = 20
    tol: float = 0.0
    memory: int = 5
    ridge: float = 1e-6
    method: ClassVar[str] = "anderson"
    differentiable = False

    def __post_init__(self) -> None:
        require_steps("Anderson", self.steps, self.tol)
        require_window("Anderson", self.memory, self.ridge)

    def __call__(self, f: Callable[[State], State], z0: State, *, unroll: bool = False) -> tuple[State, int]:
        z0 = as_state("Anderson", z0)
        z, window = z0, _empty(z0, self.memory, self.ridge)
        for spent in range(1, self.steps):
            fz = f(z)
            require_same_state(z, fz)
            r = fz - z
            if self.tol > 0 and largest_ratio(r, z) <= self.tol:
                return fz, spent
            window, z = _mixed(window, spent - 1, r, fz, self.ridge)
        return z, self.steps - 1


@dataclass(frozen=True)
class AndersonLinear:
    """x ← x + b − A x from x₀ = 0, accelerated; M = 1 gives x = b. Cost, M and tol: as in Picard."""

    steps: int = 20
    tol: float = 0.0
    memory: int = 5
    ridge: float = 1e-6
    differentiable = False

    def __post_init__(self) -> None:
        require_steps("AndersonLinear", self.steps, self.tol)
        require_window("AndersonLinear", self.memory, self.ridge)

    def __call__(self, A: LinearMap, b: State) -> LinearSolution:
        b = as_state("AndersonLinear", b)
        size = sizes(b)
        unit = b / size  # the squares of a small cotangent would underflow, those of a large one overflow
        x, window = unit, _empty(unit, self.memory, self.ridge)  # f(0) = b: the pair before the first product
        for step in range(1, self.steps):
            r = unit - A(x)
            if self.tol > 0 and largest_ratio(r, unit) <= self.tol:
                return solution(size * x, step, self.tol, A, unit, r)
            window, x = _mixed(window, step, r, x + r, self.ridge, unit=True)
        return solution(size * x, self.steps, self.tol, A, b)


class _Window(NamedTuple):
    """dr: differences of residuals, each of length 1 or 0. df: those of images, divided by the same numbers. gram:
    products of dr, and the ridge on the diagonal. r, f: the last pair."""

    dr: Float[Tensor, "b m n"]
    df: Float[Tensor, "b m n"]
    gram: Float[Tensor, "b m m"]
    r: Rows
    f: Rows


def _empty(like: State, memory: int, ridge: float) -> _Window:
    """No differences yet: rows of length 0, whose γ is 0."""
    rows = like.flatten(1)
    dr, df = (rows.new_zeros(len(rows), memory, rows.shape[1]) for _ in range(2))
    gram = widened(ridge * torch.eye(memory, dtype=rows.dtype, device=rows.device)).repeat(len(rows), 1, 1)
    return _Window(dr, df, gram, rows, rows)


def _mixed(window: _Window, k: int, r: State, fz: State, ridge: float, *, unit: bool = False) -> tuple[_Window, State]:
    """z_{k+1}, and the window with the k-th pair in it, whose arrays are written in place. unit: the first residual is
    of length 1 or so."""
    dr, df, gram, last_r, last_f = window
    rows, images = r.flatten(1), fz.flatten(1)
    window = window._replace(r=rows, f=images)
    if k == 0:
        return window, fz
    slot = (k - 1) % dr.shape[1]
    change = rows - last_r
    # The squares of small residuals would underflow; in float16 the inverse of a small length overflows too.
    size = None if unit and rows.dtype == gram.dtype else sizes(change)
    length = sample_norms(change if size is None else change.div_(size))[:, None]
    scale = torch.where(length > 0, 1 / length, 0)
    dr[:, slot] = change * scale
    df[:, slot] = (images - last_f if size is None else (images - last_f).div_(size)) * scale
    column, rhs = torch.bmm(widened(torch.stack([dr[:, slot], rows], 1)), widened(dr).mT).unbind(1)
    gram[:, slot] = gram[:, :, slot] = column
    gram[:, slot, slot] += ridge
    gamma, _ = torch.linalg.solve_ex(gram, rhs[:, :, None])
    return window, torch.baddbmm(images[:, None], gamma.to(df.dtype).mT, df, alpha=-1).view_as(fz)
