"""What each linear solver returns for A x = b after M steps, samples (axis 0) being systems of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from impls.oracles.layers import Array

LinearMap = Callable[[Array], Array]

MEMORY, RIDGE = 5, 1e-6
"""Anderson's defaults, which no cell changes."""


def picard(A: LinearMap, At: LinearMap, b: Array, M: int) -> Array:
    """Σ_{m<M} Jᵐ b with J = I − A."""
    x = b
    for _ in range(M - 1):
        x = b + x - A(x)
    return x


def anderson(A: LinearMap, At: LinearMap, b: Array, M: int) -> Array:
    """x_M of Anderson's iteration on f(x) = b + x − A x, from x₀ = 0."""
    states = [np.zeros_like(b)]
    images: list[Array] = []
    for _ in range(M):
        images.append(b + states[-1] - A(states[-1]))
        states.append(mixed(states, images))
    return states[-1]


def mixed(states: Sequence[Array], images: Sequence[Array], memory: int = MEMORY, ridge: float = RIDGE) -> Array:
    """Anderson's next state, from all states and images so far, by an orthogonal factorisation of each sample's window.

    f_k − Σ_i γ_i Δf_i, γ = argmin ‖r_k − Σ_i γ_i Δr_i‖² + ridge · Σ_i γ_i² ‖Δr_i‖², over the last differences.
    """
    recent = range(max(0, len(images) - memory - 1), len(images))
    f = np.stack([images[k].reshape(len(images[k]), -1) for k in recent], 1)
    r = f - np.stack([states[k].reshape(len(states[k]), -1) for k in recent], 1)
    return np.stack([_mixed_one(*pair, ridge) for pair in zip(r, f, strict=True)]).reshape(images[-1].shape)


def _mixed_one(r: Array, f: Array, ridge: float) -> Array:
    """Of one sample, with its residuals and images as rows; γ is that of differences of length 1."""
    dr, df = np.diff(r, axis=0), np.diff(f, axis=0)
    length = np.linalg.norm(dr, axis=1, keepdims=True)
    dr, df = (rows[length[:, 0] > 0] / length[length[:, 0] > 0] for rows in (dr, df))
    if not len(dr):
        return f[-1]
    penalty = np.sqrt(ridge) * np.eye(len(dr))
    gamma = np.linalg.lstsq(np.concatenate([dr.T, penalty]), np.concatenate([r[-1], np.zeros(len(dr))]), rcond=None)[0]
    return f[-1] - gamma @ df


def gmres(A: LinearMap, At: LinearMap, b: Array, M: int) -> Array:
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


def normal_cg(A: LinearMap, At: LinearMap, b: Array, M: int) -> Array:
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


def bicgstab(A: LinearMap, At: LinearMap, b: Array, M: int) -> Array:
    """Van der Vorst's recurrences in his own order, β first; sample by sample, and one that is solved is done."""
    x, r, p, v = np.zeros_like(b), b.copy(), np.zeros_like(b), np.zeros_like(b)
    rho, alpha, omega = (np.ones(len(b)) for _ in range(3))
    for _ in range(M):
        at = [i for i in range(len(b)) if np.linalg.norm(r[i]) > 1e-16 * np.linalg.norm(b[i])]
        for i in at:
            now = float((b[i] * r[i]).sum())
            p[i] = r[i] + _over(now, rho[i]) * _over(alpha[i], omega[i]) * (p[i] - omega[i] * v[i])
            rho[i] = now
        v, s = A(p), r.copy()
        for i in at:
            alpha[i] = _over(rho[i], float((b[i] * v[i]).sum()))
            s[i] -= alpha[i] * v[i]
        t = A(s)
        for i in at:
            omega[i] = _over(float((s[i] * t[i]).sum()), float((t[i] ** 2).sum()))
            x[i] += alpha[i] * p[i] + omega[i] * s[i]
            r[i] = s[i] - omega[i] * t[i]
    return x


def _over(x: float, y: float) -> float:
    """x/y; 0 in a breakdown."""
    return x / y if y else 0.0


SOLVES: Mapping[str, Callable[[LinearMap, LinearMap, Array, int], Array]] = {
    "picard": picard,
    "gmres": gmres,
    "normal_cg": normal_cg,
    "normal_cg_published": normal_cg,  # the same iterates at another price
    "bicgstab": bicgstab,
    "anderson": anderson,
}
