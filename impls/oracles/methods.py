"""What each adjoint returns on any implicit problem, as the sums in the methods' files."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from impls.oracles.types import Array, Grads, Implicit
from impls.problems import Tree


def states_of(model: Implicit, K: int, solver: str) -> list[Array]:
    """z_0, …, z_{K−1}: the states at which step is evaluated."""
    states = [model.z0]
    for _ in range(K - 1):
        z = states[-1]
        fz, pull = model.step(z)
        states.append(fz if solver == "picard" else z + _dense(_rows(pull, z), fz - z, transposed=False))
    return states


def _unrolled(model: Implicit, K: int, solver: str, linear_solver: str, M: int) -> Tree:
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
    if linear_solver == "picard":
        w = g
        for _ in range(M - 1):
            w = g + pull(w)[0]
    elif linear_solver == "gmres":
        w = _gmres(lambda v: v - pull(v)[0], g, M)
    elif linear_solver.startswith("normal_cg"):  # as published: the same iterates
        w = _normal_cg(lambda v: v - pull(v)[0], lambda v: v - _push(model, z, v), g, M)
    else:
        w = _dense(_rows(pull, z), g, transposed=True)
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


def _gmres(A: Callable[[Array], Array], b: Array, M: int) -> Array:
    """Least residual over the Krylov space of each sample, by Arnoldi with modified Gram–Schmidt and lstsq."""
    rows = b.reshape(len(b), -1)
    M = min(M, rows.shape[1])
    basis = [rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-300)]
    images = []
    for _ in range(M):
        w = A(basis[-1].reshape(b.shape)).reshape(rows.shape)
        images.append(w)
        before = np.linalg.norm(w, axis=1, keepdims=True)
        for _ in range(2):
            for v in basis:
                w = w - (v * w).sum(1, keepdims=True) * v
        norm = np.linalg.norm(w, axis=1, keepdims=True)
        basis.append(np.where(norm > 1e-13 * before, w / np.maximum(norm, 1e-300), 0))
    V, AV = np.stack(basis[:M], 2), np.stack(images, 2)
    y = [np.linalg.lstsq(AV[i], rows[i], rcond=1e-13)[0] for i in range(len(b))]
    return np.stack([V[i] @ y[i] for i in range(len(b))]).reshape(b.shape)


def _push(model: Implicit, z: Array, v: Array) -> Array:
    """J v, by complex step."""
    return model.step(z + 1e-30j * v)[0].imag * 1e30


def _normal_cg(A: Callable[[Array], Array], At: Callable[[Array], Array], b: Array, M: int) -> Array:
    """Conjugate gradients on AᵀA x = Aᵀ b, sample by sample; a sample whose residual is rounding alone is done."""
    x, r, s = np.zeros_like(b), b.copy(), At(b)
    p = s.copy()
    for _ in range(M):
        q, at = A(p), [i for i in range(len(b)) if np.linalg.norm(r[i]) > 1e-16 * np.linalg.norm(b[i])]
        before = [float((one**2).sum()) for one in s]
        for i in at:
            alpha = before[i] / float((q[i] ** 2).sum())
            x[i] += alpha * p[i]
            r[i] -= alpha * q[i]
        s = At(r)
        for i in at:
            p[i] = s[i] + float((s[i] ** 2).sum()) / before[i] * p[i]
    return x


METHODS: Mapping[str, Callable[[Implicit, int, str, str, int], Tree]] = {
    "unrolled": _unrolled,
    "ift": _ift,
    "ift_reused": _ift_reused,
    "jfb": _jfb,
}
