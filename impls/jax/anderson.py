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
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.lax import dynamic_update_index_in_dim as put
from jaxtyping import Float

from impls.checks import require_same_state, require_steps, require_window
from impls.jax.linear_solution import LinearMap, LinearSolution, State, solution
from impls.jax.norms import largest_ratio, sample_norms, sizes, widened
from impls.jax.ops import as_state

Rows = Float[Array, "b n"]


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

    def __call__(self, f: Callable[[State], State], z0: State, *, unroll: bool = False) -> tuple[State, Any]:
        z0 = as_state("Anderson", z0)

        def update(k: Any, z: State, window: _Window) -> tuple[State, _Window, State, Array]:
            fz = f(z)
            require_same_state(z, fz)
            r = fz - z
            window, mixed = _mixed(window, k, r, fz, self.ridge)
            return mixed, window, fz, largest_ratio(r, z)

        window = _empty(z0, self.memory, self.ridge)
        if self.tol == 0:
            z, _ = jax.lax.fori_loop(0, self.steps - 1, lambda k, at: update(k, *at)[:2], (z0, window))
            return z, self.steps - 1

        def going(state: tuple[State, _Window, State, Array, Array]) -> Array:
            return (state[4] < self.steps - 1) & ~(state[3] <= self.tol)

        start = (z0, window, z0, jnp.asarray(jnp.inf, z0.dtype), jnp.asarray(0))
        z, _, fz, residual, spent = jax.lax.while_loop(going, lambda s: (*update(s[4], *s[:2]), s[4] + 1), start)
        return jnp.where(residual <= self.tol, fz, z), spent


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

        def update(step: Any, x: State, r: State, window: _Window) -> tuple[_Window, State]:
            return _mixed(window, step, r, x + r, self.ridge, unit=True)

        window = _empty(unit, self.memory, self.ridge)  # f(0) = b: the pair before the first product
        if self.tol == 0:
            _, x = jax.lax.fori_loop(
                1, self.steps, lambda step, at: update(step, at[1], unit - A(at[1]), at[0]), (window, unit)
            )
            return solution(size * x, self.steps, self.tol, A, b)

        def going(state: tuple[State, State, _Window, Array]) -> Array:
            return (state[3] < self.steps) & ~(largest_ratio(state[1], unit) <= self.tol)

        def looked(state: tuple[State, State, _Window, Array]) -> tuple[State, State, _Window, Array]:
            window, x = update(state[3], *state[:3])
            return x, unit - A(x), window, state[3] + 1

        x, r, _, step = jax.lax.while_loop(going, looked, (unit, unit - A(unit), window, jnp.asarray(1)))
        return solution(size * x, step, self.tol, A, unit, r)


class _Window(NamedTuple):
    """dr: differences of residuals, each of length 1 or 0. df: those of images, divided by the same numbers. gram:
    products of dr, and the ridge on the diagonal. r, f: the last pair."""

    dr: Float[Array, "b m n"]
    df: Float[Array, "b m n"]
    gram: Float[Array, "b m m"]
    r: Rows
    f: Rows


def _empty(like: State, memory: int, ridge: float) -> _Window:
    """No differences yet: rows of length 0, whose γ is 0."""
    rows = like.reshape(len(like), -1)
    dr = df = jnp.zeros((len(rows), memory, rows.shape[1]), rows.dtype)
    gram = jnp.tile(widened(ridge * jnp.eye(memory, dtype=rows.dtype)), (len(rows), 1, 1))
    return _Window(dr, df, gram, rows, rows)


def _mixed(window: _Window, k: Any, r: State, fz: State, ridge: float, *, unit: bool = False) -> tuple[_Window, State]:
    """z_{k+1}, and the window with the k-th pair in it; the difference of the first pair, k = 0, is one of length 0.
    unit: the first residual is of length 1 or so."""
    dr, df, gram, last_r, last_f = window
    rows, images = r.reshape(last_r.shape), fz.reshape(last_f.shape)
    slot = (k - 1) % dr.shape[1]
    change = rows - last_r
    moved = images - last_f
    # The squares of small residuals would underflow; in float16 the inverse of a small length overflows too.
    if not unit or rows.dtype != gram.dtype:
        size = sizes(change)
        change, moved = change / size, moved / size
    length = sample_norms(change)[:, None]
    scale = jnp.where((length > 0) & (k > 0), 1 / length, 0)
    change = change * scale
    dr = put(dr, change, slot, 1)
    df = put(df, moved * scale, slot, 1)
    column, rhs = jnp.einsum("bcn,bmn->cbm", widened(jnp.stack([change, rows], 1)), widened(dr))
    column = column + ridge * (jnp.arange(dr.shape[1]) == slot).astype(gram.dtype)
    gram = put(put(gram, column, slot, 1), column, slot, 2)
    gamma = jnp.linalg.solve(gram, rhs[:, :, None])
    mixed = images - jnp.einsum("bmc,bmn->bn", gamma.astype(df.dtype), df)
    return _Window(dr, df, gram, rows, images), mixed.reshape(fz.shape)
