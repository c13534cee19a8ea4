"""torch, jax and the numpy oracle on the same arrays: every problem, method, solver and linear solver."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from impls import oracles
from impls.catalog import METHODS
from impls.problems import KIND, PROBLEMS
from tests.impls.frameworks import FRAMEWORKS, answer, distance, enough, flat, leaves, small, tangent

LINEAR_SOLVERS = ("picard", "gmres", "dense")
KRYLOV = {"gmres": 5, "normal_cg": 5, "normal_cg_published": 5, "bicgstab": 5, "anderson": 30}
"""Solvers that, cut short, are no linear functions of their right-hand sides and have no transpose; M at their end."""

MORE = {
    "linear": ("bicgstab", "anderson"),
    "tanh": ("normal_cg", "normal_cg_published", "bicgstab", "anderson"),
    "fpn": ("normal_cg", "bicgstab", "anderson"),
}
"""Further linear solvers, where they are tried: compiling is slow."""

NETWORKS = ("elghaoui", "mon", "averaged")
"""Dense layers like ``tanh`` for any solver, so that each method is tried once: compiling costs most here."""


def settings(problem: str, method: str) -> list[dict[str, Any]]:
    """Options of reverse mode."""
    row = METHODS[method]
    if row.interface == "gradient":
        return [{}] if KIND[problem] == "explicit" else []
    if KIND[problem] == "explicit":
        return []
    found: list[dict[str, Any]] = [{"K": 4, "solver": "picard"}] if "picard" in row.solvers else []
    if "newton" in row.solvers and problem not in ("fpn", *NETWORKS):  # matrices of 128 unknowns take long to compile
        found.append({"K": 3, "solver": "newton"})
    if "anderson" in row.solvers and method == "jfb" and problem in MORE:
        found.append({"K": 9, "solver": "anderson"})  # more differences than the window holds
    if "linear_solver" not in row.options:
        return found
    more = MORE.get(problem, ())
    return [
        {**options, "linear_solver": linear, "M": 4}
        for options in found
        for linear in ((*LINEAR_SOLVERS, *more) if options["solver"] == "picard" else ("dense",))
        if problem not in NETWORKS or linear == "picard"
    ]


def named(problem: str, method: str, options: dict[str, Any]) -> Any:
    """A case; ``long`` where ``tanh`` has the same one, but for the first of each method."""
    again = problem in ("linear", "newton", "fpn") and options != settings(problem, method)[0]
    name = "-".join([problem, method, *map(str, options.values())])
    return pytest.param(problem, method, options, id=name, marks=pytest.mark.long if again else ())


REVERSE = [
    named(problem, method, options)
    for problem in PROBLEMS
    for method in METHODS
    for options in settings(problem, method)
    if method != "forward_gradient"
]
FORWARD = [
    named(problem, method, options)
    for problem in PROBLEMS
    for method in METHODS
    for options in settings(problem, method)
    if method != "backprop"
    and options.get("solver") in (None, METHODS[method].solvers[0])
    and options.get("linear_solver") not in KRYLOV
    and (method != "ift_reused" or problem == "tanh")
]
METHODS_OF = [
    (problem, method)
    for problem in PROBLEMS
    for method in METHODS
    if settings(problem, method) and method != "forward_gradient"
]


def test_nothing_is_left_out() -> None:
    assert {case.values[0] for case in REVERSE} == set(PROBLEMS)
    assert {case.values[1] for case in REVERSE + FORWARD} == set(METHODS)


@pytest.mark.parametrize(("problem", "method", "options"), REVERSE)
@pytest.mark.few(20)
def test_reverse_mode(problem: str, method: str, options: dict[str, Any]) -> None:
    expected = flat(oracles.gradient(small(problem), method, **options))
    shared = {key: value for key, value in options.items() if key in ("K", "solver")}
    found = {framework: answer(framework, problem, method, **options) for framework in FRAMEWORKS}
    for value, grads in found.values():
        assert value == pytest.approx(oracles.loss(small(problem), **shared), rel=1e-13)
        assert distance(grads, expected) < 1e-12
    assert distance(found["torch"][1], found["jax"][1]) < 1e-12


@pytest.mark.parametrize(("problem", "method", "options"), FORWARD)
@pytest.mark.few(16)
def test_forward_mode(problem: str, method: str, options: dict[str, Any]) -> None:
    """(∇L·v) v with the method's own ∇L."""
    expected = flat(oracles.gradient(small(problem), method, tangent=tangent(small(problem)), **options))
    found = {framework: answer(framework, problem, method, along=True, **options) for framework in FRAMEWORKS}
    for _, grads in found.values():
        assert distance(grads, expected) < 1e-12
    assert distance(found["torch"][1], found["jax"][1]) < 1e-12


@pytest.mark.parametrize(
    ("problem", "linear_solver"),
    [
        *((problem, name) for problem in ("linear", "tanh") for name in ("gmres", "normal_cg")),
        *(("tanh", name) for name in ("bicgstab", "anderson")),
    ],
)
def test_forward_mode_with_krylov_solvers(framework: str, problem: str, linear_solver: str) -> None:
    """Run to their end, which is n = 5 steps for most, they have a transpose."""
    options = {"K": 4, "linear_solver": linear_solver, "M": KRYLOV[linear_solver]}
    expected = oracles.gradient(small(problem), "ift", tangent=tangent(small(problem)), **options)
    found = answer(framework, problem, "ift", along=True, **options)[1]
    assert distance(found, flat(expected)) < 1e-12


@pytest.mark.parametrize(("problem", "method"), METHODS_OF)
@pytest.mark.few(10)
def test_single_precision(problem: str, method: str) -> None:
    options = settings(problem, method)[0]
    found = {fw: answer(fw, problem, method, "float32", **options) for fw in FRAMEWORKS}
    assert found["torch"][1].dtype == found["jax"][1].dtype == np.float32
    assert found["torch"][0] == pytest.approx(found["jax"][0], rel=1e-5)
    assert distance(found["torch"][1], found["jax"][1]) < 1e-5


@pytest.mark.parametrize("problem", [name for name, kind in KIND.items() if kind == "implicit"])
def test_exact_methods_reach_the_reference(problem: str) -> None:
    reference = flat(oracles.reference(small(problem)))
    for method, row in METHODS.items():
        if row.interface == "adjoint" and settings(problem, method):
            options = {"K": enough(problem), **row_options(problem, method)}
            error = distance(answer("torch", problem, method, **options)[1], reference)
            assert (error < 1e-12) if row.exact else (error > 0.05)


def row_options(problem: str, method: str) -> dict[str, Any]:
    if METHODS[method].solvers == ("newton",):
        return {"K": 9, "solver": "newton"}
    return {"M": enough(problem)} if "M" in METHODS[method].options else {}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_shapes(problem: str) -> None:
    method = "backprop" if KIND[problem] == "explicit" else "ift"
    params = small(problem).params
    for grads in (oracles.gradient(small(problem), method, K=2, M=2), oracles.reference(small(problem))):
        assert [leaf.shape for leaf in leaves(grads)] == [leaf.shape for leaf in leaves(params)]
