"""Both frameworks behind one face, so that one list of settings serves them both."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from importlib import import_module
from typing import Any

import jax
import numpy as np
import torch

from impls.catalog import METHODS
from impls.problems import KIND, Problem, Tree, make

FRAMEWORKS = ("torch", "jax")
SMALL: dict[str, dict[str, Any]] = {
    "mlp": dict(depth=3, width=5, batch=3, inputs=4, classes=3),
    "logistic": dict(inputs=4, classes=3, batch=3),
    "cnn": dict(image=8, channels=2, hidden=3, batch=2),
    "beale": {},
    "rosenbrock": {},
    "linear": dict(width=5, inputs=4, batch=3, gamma=0.6),
    "tanh": dict(width=5, inputs=4, batch=3, gamma=0.6),
    "newton": dict(width=5, inputs=4, batch=3, gamma=0.6),
    "fpn": dict(channels=2, batch=2, gamma=0.6),
    "elghaoui": dict(width=5, inputs=4, classes=3, batch=3, gamma=0.6),
    "mon": dict(width=5, inputs=4, classes=3, batch=3),
    "averaged": dict(width=5, inputs=4, batch=3),
}


def enough(problem: str) -> int:
    """Steps after which nothing is left to gain in float64: 0.6⁸⁰ = 2e-18, and ρ of ``averaged`` is 0.75 here."""
    return 200 if problem == "averaged" else 80


@cache
def small(name: str, seed: int = 0, **sizes: Any) -> Problem:
    """The problem at a size for tests."""
    return make(name, seed=seed, **{**SMALL[name], **sizes})


def module(framework: str, path: str) -> Any:
    """``impls.<framework>.<path>``."""
    return import_module(f"impls.{framework}.{path}")


def array(framework: str, x: np.ndarray, dtype: str = "float64") -> Any:
    """A numpy array handed to a framework; whole numbers keep their type."""
    x = np.asarray(x)
    x = x.astype(dtype) if x.dtype.kind == "f" else x
    return torch.from_numpy(x.copy()) if framework == "torch" else jax.numpy.asarray(x)


def tree_map(fn: Callable[[Any], Any], tree: Tree) -> Tree:
    """``fn`` of every leaf of a nest of numpy or framework arrays."""
    if isinstance(tree, dict):
        return {key: tree_map(fn, value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(tree_map(fn, value) for value in tree)
    return fn(tree)


def tree(framework: str, nest: Tree, dtype: str = "float64") -> Tree:
    """A nest of numpy arrays handed to a framework."""
    return tree_map(lambda leaf: array(framework, leaf, dtype), nest)


def leaves(nest: Tree) -> list[Any]:
    """Leaves with dict keys sorted."""
    if isinstance(nest, dict):
        return [leaf for key in sorted(nest) for leaf in leaves(nest[key])]
    if isinstance(nest, list | tuple):
        return [leaf for item in nest for leaf in leaves(item)]
    return [nest]


def flat(nest: Tree) -> np.ndarray:
    """One numpy vector of all leaves, whatever framework they are of."""
    return np.concatenate([to_numpy(leaf).ravel() for leaf in leaves(nest)])


def to_numpy(x: Any) -> np.ndarray:
    x = x.dense() if hasattr(x, "dense") else x  # a tangent of rank one
    return x.detach().numpy() if isinstance(x, torch.Tensor) else np.asarray(x)


def unflat(vector: np.ndarray, like: Tree) -> Tree:
    """The nest shaped as ``like`` whose ``flat`` is ``vector``."""
    parts = iter(np.split(vector, np.cumsum([leaf.size for leaf in leaves(like)])[:-1]))
    found = {id(leaf): next(parts).reshape(leaf.shape) for leaf in leaves(like)}
    return tree_map(lambda leaf: found[id(leaf)], like)


def tangent(problem: Problem, seed: int = 0) -> Tree:
    """A fixed gaussian tangent, shaped as the parameters."""
    size = flat(problem.params).size
    return unflat(np.random.default_rng([seed, size]).normal(size=size), problem.params)


def jit(framework: str, fn: Callable[..., Any]) -> Callable[..., Any]:
    """In jax ``fn`` compiled, for calls that stand in no other compiled function."""
    return jax.jit(fn) if framework == "jax" else fn


def linear_solver(framework: str, name: str, M: int, tol: float = 0.0) -> Any:
    kind = module(framework, "linear_solvers").LINEAR_SOLVERS[name]
    return kind(tol=tol) if name == "dense" else kind(steps=M, tol=tol)


@cache
def loss(
    framework: str,
    problem: str,
    adjoint: str | None,
    *,
    K: int = 6,
    solver: str = "picard",
    linear_solver: str = "picard",
    M: int = 6,
    tol: float = 0.0,
    backward_tol: float = 0.0,
) -> Any:
    """The loss of a problem with the fixed point function of ``adjoint`` bound, where it is implicit."""
    models = module(framework, "models")
    if KIND[problem] == "explicit":
        return models.loss(problem)
    options = {"solver": module(framework, "solvers").SOLVERS[solver](steps=K, tol=tol)}
    if adjoint == "ift":
        options["linear_solver"] = _linear_solver(framework, linear_solver, M, backward_tol)
    fixed_point = module(framework, f"adjoints.{adjoint}").fixed_point
    return models.loss(problem, partial(fixed_point, **options))


_linear_solver = linear_solver


def gradient(framework: str, problem: str, method: str, given: bool, adjoint: str, options: tuple) -> Any:
    """fn(params, batch, tangents) -> (value, gradient, aux)."""
    if METHODS[method].interface == "adjoint":
        adjoint, method = method, "forward_gradient" if given else "backprop"
    bound = loss(framework, problem, adjoint, **dict(options))
    keywords = {"tangents": "given"} if method == "forward_gradient" else {}
    return module(framework, f"gradients.{method}").value_and_grad(bound, **keywords)


@cache
def compiled_gradient(framework: str, *settings: Any) -> Any:
    """``gradient`` of the same settings, compiled for jax."""
    return jit(framework, gradient(framework, *settings))


def solve(
    framework: str,
    problem: Problem,
    method: str,
    dtype: str = "float64",
    tangent: Tree = None,
    adjoint: str = "unrolled",
    **options: Any,
) -> tuple[Any, Tree, Any]:
    """(loss, gradient, aux) as the framework gives them. A tangent makes it (∇L·v) v in forward mode; ``adjoint``
    says how ``backprop`` and ``forward_gradient`` go through a fixed point."""
    settings = problem.name, method, tangent is not None, adjoint, tuple(sorted(options.items()))
    fn = compiled_gradient(framework, *settings)
    params, batch = (tree(framework, nest, dtype) for nest in (problem.params, dict(problem.batch)))
    return fn(params, batch, None if tangent is None else tree(framework, tangent, dtype))


def run(
    framework: str, problem: Problem, method: str, dtype: str = "float64", **options: Any
) -> tuple[float, np.ndarray]:
    """(loss, gradient as one numpy vector); options as of ``solve``."""
    value, grads, _ = solve(framework, problem, method, dtype, **options)
    return float(value), flat(grads)


@cache
def answer(
    framework: str, problem: str, method: str, dtype: str = "float64", along: bool = False, **options: Any
) -> tuple[float, np.ndarray]:
    """``run`` at a test's size, computed once; ``along`` is forward mode, along the fixed tangent."""
    chosen = small(problem)
    return run(framework, chosen, method, dtype, tangent=tangent(chosen) if along else None, **options)


def distance(x: np.ndarray, y: np.ndarray) -> float:
    """‖x − y‖/‖y‖."""
    return float(np.linalg.norm(x - y) / np.linalg.norm(y))
