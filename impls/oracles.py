"""What each method must return, in float64 numpy, at its own K, M and tangent; and the true gradient beside it.

Every derivative here is written out by hand: a model is its step, encoder and read-out with their transposes, and the
methods are the sums in their files' headers. Nothing is shared with the frameworks but the arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from impls.names import pick
from impls.problems import Problem, Tree

Array = np.ndarray
Grads = dict[str, Array]


@dataclass(frozen=True)
class Implicit:
    """An implicit problem at its data. step(z) → (z', pull) with pull(g) → (gᵀ ∂R/∂z, gᵀ ∂R/∂args as a dict);
    encode(those) → the part of the parameter gradient that flows through args; loss(z) → (value, g, read-out part)."""

    z0: Array
    step: Callable[[Array], tuple[Array, Callable[[Array], tuple[Array, Grads]]]]
    encode: Callable[[Grads], Grads]
    loss: Callable[[Array], tuple[float, Array, Grads]]


def gradient(
    problem: Problem,
    method: str,
    *,
    tangent: Tree | None = None,
    K: int = 60,
    solver: str = "picard",
    linear_solver: str = "picard",
    M: int = 60,
) -> Tree:
    """The gradient that ``method`` must return, shaped as params. With a tangent v: that gradient's (g·v) v instead.

    Options mean what they mean in ``impls``. Cost: as the method's own, in float64; Newton unrolled and dense solves
    build one n × n matrix a sample.
    """
    if method in ("backprop", "forward_gradient"):
        found = _mlp(problem)[1]
    else:
        model = MODELS[problem.name](problem)
        found = pick("method", method, _METHODS)(model, K, solver, linear_solver, M)
    return found if tangent is None else _along(found, tangent)


def reference(problem: Problem, tol: float = 1e-14, most: int = 3000) -> Tree:
    """The true gradient at z*: Picard steps until they move z by at most ``tol``, then the adjoint likewise.

    Raises ``ArithmeticError`` when step is no contraction and this does not settle.
    """
    if problem.name == "mlp":
        return _mlp(problem)[1]
    model = MODELS[problem.name](problem)
    z = _settle(lambda z: model.step(z)[0], model.z0, tol, most, problem.name)
    _, g, readout = model.loss(z)
    pull = model.step(z)[1]
    w = _settle(lambda w: g + pull(w)[0], g, tol, most, problem.name)
    return {**model.encode(pull(w)[1]), **readout}


def loss(problem: Problem, K: int = 60, solver: str = "picard") -> float:
    """The loss at z_K, or of a net."""
    if problem.name == "mlp":
        return _mlp(problem)[0]
    model = MODELS[problem.name](problem)
    return model.loss(model.step(_states(model, K, solver)[-1])[0])[0]


def flat(tree: Tree) -> Array:
    """All arrays of a nest as one vector, dict keys sorted."""
    if isinstance(tree, Mapping):
        return np.concatenate([flat(tree[key]) for key in sorted(tree)])
    if isinstance(tree, (list, tuple)):
        return np.concatenate([flat(item) for item in tree])
    return np.asarray(tree, np.float64).ravel()


def _along(grads: Tree, tangent: Tree) -> Tree:
    slope = float(flat(grads) @ flat(tangent))

    def scaled(tree: Tree) -> Tree:
        if isinstance(tree, Mapping):
            return {key: scaled(tree[key]) for key in tree}
        if isinstance(tree, (list, tuple)):
            return [scaled(item) for item in tree]
        return slope * np.asarray(tree, np.float64)

    return scaled(tangent)


def _settle(f: Callable[[Array], Array], z: Array, tol: float, most: int, name: str) -> Array:
    for _ in range(most):
        last, z = z, f(z)
        if np.linalg.norm(z - last) <= tol * max(float(np.linalg.norm(z)), 1e-300):
            return z
    raise ArithmeticError(f"The reference of {name} did not settle in {most} steps: make step a contraction.")


# The methods, on any model ------------------------------------------------------------------------------------------


def _states(model: Implicit, K: int, solver: str) -> list[Array]:
    """z_0, …, z_{K−1}: the states at which step is evaluated."""
    states = [model.z0]
    for _ in range(K - 1):
        z = states[-1]
        fz, pull = model.step(z)
        states.append(fz if solver == "picard" else z + _dense(_rows(pull, z), fz - z, transposed=False))
    return states


def _unrolled(model: Implicit, K: int, solver: str, linear_solver: str, M: int) -> Tree:
    states = _states(model, K, solver)
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
    z = _states(model, K, solver)[-1]
    fz, pull = model.step(z)
    _, g, readout = model.loss(fz)
    if linear_solver == "picard":
        w = g
        for _ in range(M - 1):
            w = g + pull(w)[0]
    elif linear_solver == "gmres":
        w = _gmres(lambda v: v - pull(v)[0], g, M)
    else:
        w = _dense(_rows(pull, z), g, transposed=True)
    return {**model.encode(pull(w)[1]), **readout}


def _jfb(model: Implicit, K: int, solver: str, linear_solver: str, M: int) -> Tree:
    fz, pull = model.step(_states(model, K, solver)[-1])
    _, g, readout = model.loss(fz)
    return {**model.encode(pull(g)[1]), **readout}


_METHODS = {"unrolled": _unrolled, "ift": _ift, "jfb": _jfb}


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


# The models ---------------------------------------------------------------------------------------------------------


def _cross_entropy(logits: Array, labels: Array) -> tuple[float, Array]:
    shifted = logits - logits.max(1, keepdims=True)
    p = np.exp(shifted) / np.exp(shifted).sum(1, keepdims=True)
    rows = np.arange(len(labels))
    value = -(shifted[rows, labels] - np.log(np.exp(shifted).sum(1))).mean()
    p[rows, labels] -= 1
    return float(value), p / len(labels)


def _mlp(problem: Problem) -> tuple[float, Tree]:
    x, layers = problem.batch["x"], problem.params
    inputs = []
    for index, layer in enumerate(layers):
        inputs.append(x)
        x = x @ layer["W"] + layer["b"]
        if index < len(layers) - 1:
            x = np.maximum(x, 0)
    value, g = _cross_entropy(x, problem.batch["y"])
    grads: list[Grads] = []
    for layer, x in zip(reversed(layers), reversed(inputs), strict=True):
        grads.append({"W": x.T @ g, "b": g.sum(0)})
        g = (g @ layer["W"].T) * (x > 0)
    return value, grads[::-1]


def _dense_model(problem: Problem, weight: str, inner: str, slope: Callable[[Array], Array] | None) -> Implicit:
    """z = φ(z W + x U) with φ = tanh (slope 1 − φ²) or the identity (no slope)."""
    W, U = problem.params[weight], problem.params[inner]
    x, y = problem.batch["x"], problem.batch["y"]
    xU = x @ U

    def step(z: Array) -> tuple[Array, Callable[[Array], tuple[Array, Grads]]]:
        fz = z @ W + xU
        fz = fz if slope is None else np.tanh(fz)

        def pull(g: Array) -> tuple[Array, Grads]:
            g = g if slope is None else g * slope(fz)
            return g @ W.T, {weight: z.T @ g, inner: g}

        return fz, pull

    def loss(z: Array) -> tuple[float, Array, Grads]:
        return 0.5 * float(((z - y) ** 2).sum()) / len(z), (z - y) / len(z), {}

    return Implicit(np.zeros_like(xU), step, lambda args: {weight: args[weight], inner: x.T @ args[inner]}, loss)


def _linear(problem: Problem) -> Implicit:
    return _dense_model(problem, "A", "B", None)


def _tanh(problem: Problem) -> Implicit:
    return _dense_model(problem, "W", "U", lambda fz: 1 - fz**2)


def _patches(x: Array, *, circular: bool) -> Array:
    """The 3 × 3 neighbourhood of every pixel, (b, h, w, 9 c), taps in the order of an HWIO kernel."""
    h, w = x.shape[1:3]
    x = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), "wrap" if circular else "constant")
    return np.concatenate([x[:, i : i + h, j : j + w] for i in range(3) for j in range(3)], axis=-1)


def _patches_transposed(g: Array, *, circular: bool) -> Array:
    """Each pixel's sum over the neighbourhoods that hold it."""
    b, h, w, _ = g.shape
    taps = np.split(g, 9, axis=-1)
    if circular:
        return sum(np.roll(tap, (k // 3 - 1, k % 3 - 1), (1, 2)) for k, tap in enumerate(taps))  # type: ignore[return-value]
    full = np.zeros((b, h + 2, w + 2, taps[0].shape[-1]), g.dtype)
    for k, tap in enumerate(taps):
        full[:, k // 3 : k // 3 + h, k % 3 : k % 3 + w] += tap
    return full[:, 1:-1, 1:-1]


def _kernel_gradient(patches: Array, g: Array, kernel: Array) -> Array:
    return np.tensordot(patches, g, ((0, 1, 2), (0, 1, 2))).reshape(kernel.shape)


def _fpn(problem: Problem) -> Implicit:
    p, x, y = problem.params, problem.batch["x"], problem.batch["y"]
    rows = {name: p[name].reshape(-1, p[name].shape[-1]) for name in ("Q1", "Q2", "R")}
    p1 = _patches(x, circular=False)
    hidden = np.tanh(p1 @ rows["Q1"])
    p2 = _patches(hidden, circular=False)
    q = p2 @ rows["Q2"]

    def step(u: Array) -> tuple[Array, Callable[[Array], tuple[Array, Grads]]]:
        patches = _patches(u, circular=True)
        fu = np.tanh(patches @ rows["R"] + q)

        def pull(g: Array) -> tuple[Array, Grads]:
            g = g * (1 - fu**2)
            back = _patches_transposed(g @ rows["R"].T, circular=True)
            return back, {"R": _kernel_gradient(patches, g, p["R"]), "q": g}

        return fu, pull

    def encode(args: Grads) -> Grads:
        back = _patches_transposed(args["q"] @ rows["Q2"].T, circular=False) * (1 - hidden**2)
        return {
            "R": args["R"],
            "Q2": _kernel_gradient(p2, args["q"], p["Q2"]),
            "Q1": _kernel_gradient(p1, back, p["Q1"]),
        }

    def loss(u: Array) -> tuple[float, Array, Grads]:
        features = u.reshape(len(u), -1)
        value, g = _cross_entropy(features @ p["S"], y)
        return value, (g @ p["S"].T).reshape(u.shape), {"S": features.T @ g}

    return Implicit(np.zeros_like(q), step, encode, loss)


MODELS: Mapping[str, Callable[[Problem], Implicit]] = {
    "linear": _linear,
    "tanh": _tanh,
    "newton": _tanh,
    "fpn": _fpn,
}
