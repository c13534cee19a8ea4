"""Closed forms: a linear fixed point z = z A + x B with the loss Σ c·z, whose gradients are dense solves."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import jax
import numpy as np
import pytest
import torch

from tests.bench.own.asked import compared

GAMMA, K = 0.2, 24
RNG = np.random.default_rng(3)
A = RNG.normal(size=(5, 5))
A *= GAMMA / np.linalg.norm(A, 2)
ARRAYS = {"A": A, "B": RNG.normal(size=(4, 5)), "c": RNG.normal(size=(3, 5)), "x": RNG.normal(size=(3, 4))}
TOLERANCE = {"float32": 1e-4, "float64": 1e-10}


def step(z: Any, args: Any) -> Any:
    return z @ args["A"] + args["x"] @ args["B"]


def loss(z: Any, args: Any) -> Any:
    return (z * args["c"]).sum()


def gradient(adjoint: np.ndarray, arrays: dict[str, np.ndarray]) -> np.ndarray:
    """Of Σ c·z in A, B, c and x, for the adjoint state that a method has."""
    z = np.linalg.solve((np.eye(5) - arrays["A"]).T, (arrays["x"] @ arrays["B"]).T).T
    parts = z.T @ adjoint, arrays["x"].T @ adjoint, z, adjoint @ arrays["B"].T
    return np.concatenate([part.ravel() for part in parts])


def jfb_error(arrays: dict[str, np.ndarray]) -> tuple[float, float]:
    """Gradient error and cosine of JFB, whose adjoint is c itself; K is large enough that z_K is z*."""
    true = gradient(np.linalg.solve(np.eye(5) - arrays["A"], arrays["c"].T).T, arrays)
    found = gradient(arrays["c"], arrays)
    cosine = found @ true / np.linalg.norm(found) / np.linalg.norm(true)
    return float(np.linalg.norm(found - true) / np.linalg.norm(true)), float(cosine)


@pytest.fixture(scope="module", params=["torch float32", "torch float64", "jax float64"])
def case(request: pytest.FixtureRequest) -> tuple[str, Any]:
    framework, dtype = request.param.split()
    methods = None if framework == "torch" else ["ift", "jfb"]
    with jax.enable_x64(True) if request.param == "jax float64" else nullcontext():
        if framework == "torch":
            args = {name: torch.tensor(one, dtype=getattr(torch, dtype)) for name, one in ARRAYS.items()}
            z0: Any = torch.zeros(3, 5, dtype=getattr(torch, dtype))
        else:
            args = {name: jax.numpy.asarray(one, dtype) for name, one in ARRAYS.items()}
            z0 = jax.numpy.zeros((3, 5), dtype)
        return dtype, compared(step=step, z0=z0, args=args, loss=loss, K=K, methods=methods)


def test_exact_methods_meet_the_dense_solution(case: tuple[str, Any]) -> None:
    dtype, found = case
    assert list(found["status"]) == ["ok"] * len(found) and not any(found["reason"])
    exact = found[found["method"] != "JFB"]
    assert len(exact) and (exact["gradient_error"] < TOLERANCE[dtype]).all()
    np.testing.assert_allclose(exact["cosine"], 1, rtol=TOLERANCE[dtype])


def test_jfb_has_the_error_of_its_closed_form(case: tuple[str, Any]) -> None:
    dtype, found = case
    row = found[found["method"] == "JFB"].iloc[0]
    wanted = jfb_error({name: one.astype(dtype).astype(float) for name, one in ARRAYS.items()})
    np.testing.assert_allclose((row["gradient_error"], row["cosine"]), wanted, rtol=TOLERANCE[dtype])


def test_a_forward_gradient_is_its_slope_times_its_tangent() -> None:
    """‖(g·v) v − g‖²/‖g‖² = cos²(v, g) ‖v‖² (‖v‖² − 2) + 1, and the cosine of the estimate is |cos(v, g)|."""
    g = np.array([3.0, -1.0, 2.0])
    args = {"loss": lambda p, b: (p * b).sum(), "params": torch.zeros(3), "batch": torch.tensor(g, dtype=torch.float32)}
    found = compared(**args, methods=[("forward_gradient", {"tangents": "given"})]).iloc[0]
    v = np.random.default_rng(1).normal(size=3)
    cosine, square = v @ g / np.linalg.norm(v) / np.linalg.norm(g), float(v @ v)
    assert found["status"] == "ok"
    assert found["cosine"] == pytest.approx(abs(cosine), rel=1e-5)
    assert found["gradient_error"] == pytest.approx((cosine**2 * square * (square - 2) + 1) ** 0.5, rel=1e-5)
