"""torch against jax on the same arrays: every problem, every method, every solver."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from impls.catalog import METHODS
from impls.problems import KIND, PROBLEMS
from tests.impls.frameworks import distance, run, small, tangent

SOLVERS = ("picard", "newton")
LINEAR_SOLVERS = ("picard", "gmres", "dense")


def settings(problem: str, method: str) -> list[dict[str, Any]]:
    row = METHODS[method]
    if KIND[problem] == "explicit":
        return [{}] if row.interface == "gradient" else []
    if row.interface == "gradient":
        return [{"adjoint": name} for name, other in METHODS.items() if other.interface == "adjoint"]
    return [
        {"solver": solver, **({"linear_solver": linear} if linear else {}), "K": 4, "M": 4}
        for solver in (SOLVERS if problem != "fpn" else ("picard",))
        for linear in (LINEAR_SOLVERS if "linear_solver" in row.options else (None,))
    ]


CASES = [
    pytest.param(problem, method, options, id="-".join([problem, method, *map(str, options.values())]))
    for problem in PROBLEMS
    for method in METHODS
    for options in settings(problem, method)
]


@pytest.mark.parametrize(("problem", "method", "options"), CASES)
def test_reverse_mode(problem: str, method: str, options: dict[str, Any]) -> None:
    if method == "forward_gradient":
        options = {**options, "tangent": tangent(small(problem))}
    for dtype, tolerance in (("float64", 1e-12), ("float32", 1e-5)):
        found = {fw: run(fw, small(problem), method, dtype, **options) for fw in ("torch", "jax")}
        assert found["torch"][0] == pytest.approx(found["jax"][0], rel=tolerance)
        assert distance(found["torch"][1], found["jax"][1]) < tolerance
        assert found["torch"][1].dtype == found["jax"][1].dtype == np.dtype(dtype)


@pytest.mark.parametrize(
    ("problem", "method", "options"),
    [case for case in CASES if METHODS[case.values[1]].interface == "adjoint"],
)
def test_forward_mode(framework: str, problem: str, method: str, options: dict[str, Any]) -> None:
    """(∇L·v) v, with ∇L from the same method's reverse mode. A solve that is no linear function of its right-hand
    side, as GMRES cut short, has no transpose, so there the two modes differ."""
    if options.get("linear_solver") == "gmres":
        options = {**options, "M": 200} if problem == "fpn" else {**options, "M": 5}
    v = tangent(small(problem))
    value, grads = run(framework, small(problem), method, **options)
    same, found = run(framework, small(problem), method, tangent=v, **options)
    flat_v = np.concatenate([leaf.ravel() for _, leaf in sorted(v.items())])
    assert same == pytest.approx(value, rel=1e-14)
    assert distance(found, (grads @ flat_v) * flat_v) < 1e-12
