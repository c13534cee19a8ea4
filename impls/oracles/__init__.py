"""What each method must return, in float64 numpy, at its own K, M and tangent; and the true gradient beside it.

Every derivative here is written out by hand: a model is its step, encoder and read-out with their transposes, and the
methods are the sums in their files' headers. Nothing is shared with the frameworks but the arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from impls.names import pick
from impls.oracles.explicit import EXPLICIT
from impls.oracles.implicit import MODELS
from impls.oracles.layers import Array, Implicit
from impls.oracles.methods import METHODS, states_of
from impls.problems import KIND, Problem, Tree

__all__ = ["EXPLICIT", "MODELS", "Implicit", "flat", "gradient", "loss", "reference"]

GRADIENTS = {"backprop": "∇L", "forward_gradient": "∇L, then (∇L·v) v"}
"""Methods of explicit problems, and what they return."""


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
    if KIND[problem.name] == "explicit":
        pick("method of an explicit problem", method, GRADIENTS)
        found = EXPLICIT[problem.name](problem)[1]
    else:
        model = MODELS[problem.name](problem)
        found = pick("method", method, METHODS)(model, K, solver, linear_solver, M)
    return found if tangent is None else _along(found, tangent)


def reference(problem: Problem, tol: float = 1e-14, most: int = 3000) -> Tree:
    """The true gradient at z*: Picard steps until they move z by at most ``tol``, then the adjoint likewise.

    Raises ``ArithmeticError`` when step is no contraction and this does not settle.
    """
    if KIND[problem.name] == "explicit":
        return EXPLICIT[problem.name](problem)[1]
    model = MODELS[problem.name](problem)
    z = _settle(lambda z: model.step(z)[0], model.z0, tol, most, problem.name)
    _, g, readout = model.loss(z)
    pull = model.step(z)[1]
    w = _settle(lambda w: g + pull(w)[0], g, tol, most, problem.name)
    return {**model.encode(pull(w)[1]), **readout}


def loss(problem: Problem, K: int = 60, solver: str = "picard") -> float:
    """The loss at z_K, or of an explicit problem."""
    if KIND[problem.name] == "explicit":
        return EXPLICIT[problem.name](problem)[0]
    model = MODELS[problem.name](problem)
    return model.loss(model.step(states_of(model, K, solver)[-1])[0])[0]


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
        moved, size = (np.linalg.norm(one.reshape(len(one), -1), axis=1) for one in (z - last, z))
        if (moved <= tol * np.maximum(size, 1e-300)).all():  # a large sample does not end the solve of a small one
            return z
    raise ArithmeticError(f"The reference of {name} did not settle in {most} steps: make step a contraction.")
