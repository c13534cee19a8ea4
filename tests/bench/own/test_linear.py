"""Closed forms: a linear fixed point z = z A + x B with the loss Σ c·z, whose gradients are dense solves."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import jax
import numpy as np
import pytest
import torch

from bench.job import framework_of
from impls.torch.tangents import sampler
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


def estimated(v: np.ndarray, g: np.ndarray) -> tuple[float, float]:
    """Gradient error and cosine of (g·v) v: ‖(g·v) v − g‖²/‖g‖² = cos²(v, g) ‖v‖² (‖v‖² − 2) + 1, and |cos(v, g)|."""
    cosine, square = v @ g / np.linalg.norm(v) / np.linalg.norm(g), float(v @ v)
    return (cosine**2 * square * (square - 2) + 1) ** 0.5, abs(cosine)


def test_a_forward_gradient_is_its_slope_times_its_tangent() -> None:
    g = np.array([3.0, -1.0, 2.0])
    args = {"loss": lambda p, b: (p * b).sum(), "params": torch.zeros(3), "batch": torch.tensor(g, dtype=torch.float32)}
    found = compared(**args, methods=[("forward_gradient", {"tangents": "given"})]).iloc[0]
    assert found["status"] == "ok"
    wanted = estimated(np.random.default_rng(1).normal(size=3), g)
    assert (found["gradient_error"], found["cosine"]) == pytest.approx(wanted, rel=1e-5)


def test_a_factored_tangent_goes_through_a_convolution() -> None:
    """Its two factors are those of a kernel as torch keeps it: (outputs, inputs, height) and width."""
    generator = torch.Generator().manual_seed(4)
    kernel, x = (torch.randn(shape, generator=generator).double() for shape in ((3, 2, 3, 3), (5, 2, 6, 6)))

    def loss(kernel: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return (torch.nn.functional.conv2d(x, kernel) ** 2).mean()

    row = compared(loss=loss, params=kernel, batch=x, methods=[("forward_gradient", {"tangents": "factored"})]).iloc[0]
    (drawn,), _ = sampler("factored", 1)(framework_of("torch").rng(0), [kernel], 0)
    assert drawn.a.shape == (3, 2, 3) and drawn.b.shape == (3,)
    (g,) = torch.autograd.grad(loss(kernel.requires_grad_(), x), kernel)
    wanted = estimated(*(one.numpy().ravel() for one in (torch.einsum("ijk,l->ijkl", drawn.a, drawn.b), g)))
    assert row["status"] == "ok" and row["reason"] == ""
    assert (row["gradient_error"], row["cosine"]) == pytest.approx(wanted, rel=1e-10)
