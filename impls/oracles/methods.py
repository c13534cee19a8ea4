"""What each adjoint returns on any implicit problem, as the sums in the methods' files."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from impls.names import pick
from impls.oracles.layers import Array, Grads, Implicit
from impls.oracles.solves import SOLVES, mixed
from impls.problems import Tree


def states_of(model: Implicit, K: int, solver: str) -> list[Array]:
    """z_0, …, z_{K−1}: the states at which step is evaluated."""
    states = [model.z0]
    images: list[Array] = []
    for _ in range(K - 1):
        z = states[-1]
        fz, pull = model.step(z)
        images.append(fz)
        if solver == "newton":
            states.append(z + _dense(_rows(pull, z), fz - z, transposed=False))
        else:
            states.append(mixed(states, images) if solver == "anderson" else fz)
    return states


def _unrolled(model: Implicit, K: int, solver: str, linear_solver: str, M: int) -> Tree:
    if solver == "anderson":
        raise ValueError("unrolled has no oracle with anderson: take picard or newton, or use ift.")
    states = states_of(model, K, solver)
    fz, pull = model.step(states[-1])
    _, g, readout = model.loss(fz)
    g, args = pull(g)
    for z in reversed(states[:-1]):
        fz, pull = model.step(z)
        if solver == "picard":
            g, more = pull(g)
        else:
            # z' = z + (I − J)⁻¹ r, r = R(z) − z. With w = (I − J)⁻ᵀ g and d = (I − J)⁻¹ r:
            # dz' pulls back as g + (J − I)ᵀ w = 0 through r, plus the change of J along d, wᵀ dJ d, by complex step.
            rows = _rows(pull, z)
            w, d = _dense(rows, g, transposed=True), _dense(rows, fz - z, transposed=False)
            turned = model.step(z + 1e-30j * d)[1](w.astype(complex))
            g = turned[0].imag * 1e30
            more = {name: pull(w)[1][name] + turned[1][name].imag * 1e30 for name in args}
        args = {name: args[name] + more[name] for name in args}
    return {**model.encode(args), **readout}


def _ift(model: Implicit, K: int, solver: str, linear_solver: str, M: int) -> Tree:
    z = states_of(model, K, solver)[-1]
    fz, pull = model.step(z)
    _, g, readout = model.loss(fz)
    if linear_solver == "dense":
        w = _dense(_rows(pull, z), g, transposed=True)
    else:
        solve = pick("linear solver", linear_solver, SOLVES)
        w = solve(lambda v: v - pull(v)[0], lambda v: v - _push(model, z, v), g, M)
    return {**model.encode(pull(w)[1]), **readout}


def _ift_reused(model: Implicit, K: int, solver: str, linear_solver: str, M: int) -> Tree:
    before, z = states_of(model, K, "newton")[-2:]
    fz, pull = model.step(z)
    _, g, readout = model.loss(fz)
    w = _dense(_rows(model.step(before)[1], before), g, transposed=True)
    return {**model.encode(pull(w)[1]), **readout}


def _jfb(model: Implicit, K: int, solver: str, linear_solver: str, M: int) -> Tree:
    fz, pull = model.step(states_of(model, K, solver)[-1])
    _, g, readout = model.loss(fz)
    return {**model.encode(pull(g)[1]), **readout}


def _rows(pull: Callable[[Array], tuple[Array, Grads]], z: Array) -> Array:
    """J of every sample, (b, n, n): row i is the transpose applied to basis vector i."""
    n = z[0].size
    basis = np.eye(n).reshape(n, *z.shape[1:])
    return np.stack([pull(np.broadcast_to(e, z.shape))[0].reshape(len(z), n) for e in basis], axis=1)


def _dense(J: Array, b: Array, *, transposed: bool) -> Array:
    A = np.eye(J.shape[1]) - (J.transpose(0, 2, 1) if transposed else J)
    return np.linalg.solve(A, b.reshape(*J.shape[:2], 1)).reshape(b.shape)


def _push(model: Implicit, z: Array, v: Array) -> Array:
    """J v, by complex step."""
    return model.step(z + 1e-30j * v)[0].imag * 1e30


METHODS: Mapping[str, Callable[[Implicit, int, str, str, int], Tree]] = {
    "unrolled": _unrolled,
    "ift": _ift,
    "ift_reused": _ift_reused,
    "jfb": _jfb,
}
