"""Closed forms: a linear fixed point z = z A + x B with the loss Σ c·z, whose gradients are dense solves; estimates
along a tangent; and the stationary distribution π = π P of a Markov chain, P = softmax(A), where I − J is singular.

Its derivative is dπ = π dP Z, with the fundamental matrix Z = (I − P + 1 π)⁻¹.
"""

from __future__ import annotations

import importlib
from contextlib import nullcontext
from typing import Any

import jax
import numpy as np
import pytest
import torch

from bench.job import framework_of
from bench.own import measured
from bench.own.compare import ask
from bench.own.float64 import derived
from bench.own.model import model
from impls.torch.tangents import sampler
from tests.bench.own.asked import compared

GAMMA, K = 0.2, 24
SHAPES = {"A": (5, 5), "B": (4, 5), "c": (3, 5), "x": (3, 4)}
DRAWS = np.random.default_rng(3)
ARRAYS = {name: DRAWS.normal(size=shape) for name, shape in SHAPES.items()}
ARRAYS["A"] *= GAMMA / np.linalg.norm(ARRAYS["A"], 2)
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


N = 5
RNG = np.random.default_rng(0)
A, C = RNG.normal(size=(N, N)), RNG.normal(size=N)
METHODS: list[Any] = ["unrolled", "ift", ("ift", {"linear_solver": "dense"}), "jfb"]


def true_gradient() -> np.ndarray:
    P = np.exp(A) / np.exp(A).sum(1, keepdims=True)
    pi = np.linalg.solve(np.vstack([(np.eye(N) - P).T[:-1], np.ones(N)]), np.eye(N)[-1])
    g = np.outer(pi, np.linalg.solve(np.eye(N) - P + np.outer(np.ones(N), pi), C))
    return P * (g - (g * P).sum(1, keepdims=True))


def rounding(dtype: str, K: int = 60) -> float:
    """The largest relative error that rounding leaves after K steps and as many products with their transposes.

    The gradient is a sum over K steps of π ⊗ w_k, w_k = Pᵏ c. A product of N numbers rounds w_k by N ε ‖c‖; of that the
    part along 1 is taken out by softmax's derivative, and the rest shrinks by |λ₂| a product: N ε ‖c‖/(1 − |λ₂|).
    """
    P = np.exp(A) / np.exp(A).sum(1, keepdims=True)
    slow = sorted(abs(np.linalg.eigvals(P)))[-2]
    size = np.linalg.norm(np.linalg.matrix_power(P, 1000)[0]) * np.linalg.norm(C)
    return float(K * N * np.finfo(dtype).eps * size / ((1 - slow) * np.linalg.norm(true_gradient())))


def chain(framework: str, dtype: str, *, plain: bool = False) -> dict[str, Any]:
    if framework == "torch":
        put, softmax = (lambda one: torch.tensor(one, dtype=getattr(torch, dtype))), lambda a: torch.softmax(a, 1)
    else:
        put, softmax = (lambda one: jax.numpy.asarray(one, dtype)), lambda a: jax.nn.softmax(a, axis=1)
    c, P = put(C), np.exp(A) / np.exp(A).sum(1, keepdims=True)
    return {
        "step": (lambda z, a: z @ a) if plain else (lambda z, a: z @ softmax(a)),
        "z0": put(np.full((1, N), 1 / N)),
        "args": put(P if plain else A),
        "loss": lambda z: (z * c).sum(),
    }


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_the_reference_is_the_derivative_of_the_stationary_distribution(framework: str) -> None:
    with jax.enable_x64(True) if framework == "jax" else nullcontext():
        asked = chain(framework, "float64")
        question = ask(**asked)
        found = measured.Made(lambda: question).reference(60)
    assert found.singular and found.gradient is not None and "ρ(J) ≈ 1: I − J is singular" in found.note
    np.testing.assert_allclose(found.gradient.reshape(N, N), true_gradient(), atol=1e-10)


@pytest.mark.parametrize("case", ["torch float32", "torch float64", "jax float32"])
@pytest.mark.few(1)
@pytest.mark.long
def test_a_solve_with_a_singular_matrix_is_wrong_and_the_unrolled_ones_are_right(case: str) -> None:
    framework, dtype = case.split()
    found = compared(**chain(framework, dtype), methods=METHODS)
    assert [one.replace("diverged", "wrong") for one in found["status"]] == ["ok", "ok", "wrong", "ok"]
    assert (found["gradient_error"].iloc[:2] < rounding(dtype)).all()
    assert all("I − J is singular" in one for one in found["reason"])  # at one pivot of 0 a dense solve says so itself
    assert all("ρ(J) ≈ 1: I − J is singular, or as good as" in one for one in found["reason"][found["status"] == "ok"])


@pytest.mark.long
def test_too_few_steps_explain_an_error_where_the_matrix_is_singular_too() -> None:
    row = compared(**chain("torch", "float32"), methods=[("ift", {"M": 3})]).iloc[0]
    assert row["status"] == "ok" and row["gradient_error"] > 1e-3
    assert "The solve is unfinished and explains the gradient error" in row["reason"]
    assert "raise M, since the backward solve leaves " in row["reason"]


def test_where_the_gradient_grows_with_the_steps_there_is_none() -> None:
    """z = z P for any P: another P has another largest eigenvalue, and its powers grow or vanish."""
    found = compared(**chain("torch", "float64", plain=True), methods=["unrolled"])
    assert found["gradient_error"].isna().all()
    assert "ρ(J) ≈ 1" in found["reason"].iloc[0] and "goes on changing with its steps" in found["reason"].iloc[0]


def layer(framework: str, matrix: np.ndarray, dtype: str = "float64") -> dict[str, Any]:
    """z = z A + w (I − A) from its fixed point w on. The gradient of ½‖z‖² is b = (I − A)⁻¹ w in the offset, and the
    outer product of w and b in A."""
    w = np.linspace(0.1, 0.3, len(matrix))

    def put(one: Any) -> Any:
        return torch.tensor(one, dtype=getattr(torch, dtype)) if framework == "torch" else jax.numpy.asarray(one, dtype)

    return {
        "step": lambda z, a: z @ a["A"] + a["b"],
        "z0": put(w[None]),
        "args": {"A": put(matrix), "b": put(w - w @ matrix)},
        "loss": lambda z: (z**2).sum() / 2,
    }


def turned(*eigenvalues: float) -> np.ndarray:
    """A symmetric matrix with these eigenvalues in no coordinates of its own."""
    Q = np.linalg.qr(np.random.default_rng(1).normal(size=(len(eigenvalues),) * 2))[0]
    found: np.ndarray = Q * np.array(eigenvalues) @ Q.T
    return found


@pytest.mark.parametrize("framework", ["torch", "jax"])
@pytest.mark.parametrize("slowest", [0.999, 0.9995, 0.99999, 1 - 1e-9, 1.0])
@pytest.mark.parametrize("width", [3, 90], ids=["formed", "by products"])
@pytest.mark.few(6)
def test_a_slow_contraction_is_not_singular(framework: str, slowest: float, width: int) -> None:
    A = turned(slowest, *np.linspace(0.2, 0.9, width - 1))
    with jax.enable_x64(True) if framework == "jax" else nullcontext():
        question = ask(**layer(framework, A))
        found = measured.Made(lambda: question).reference(1)
    assert found.singular is (slowest > 1 - 1e-6)
    assert found.singular or "singular" not in found.note


@pytest.mark.parametrize("framework", ["torch", "jax"])
@pytest.mark.parametrize("slowest", [0.999, 0.9995])
@pytest.mark.few(2)
def test_the_gradient_of_a_slow_contraction_is_its_closed_form(framework: str, slowest: float) -> None:
    A = turned(slowest, 0.5, 0.1)
    with jax.enable_x64(True) if framework == "jax" else nullcontext():
        question = ask(**layer(framework, A))
        kind = importlib.import_module(
            {"torch": "bench.frameworks.torch_eager", "jax": "bench.frameworks.jax_jit"}[framework]
        )
        found, note = derived(question, kind.Framework("cpu"), model(question), 100)
    w = np.linspace(0.1, 0.3, 3)
    b = np.linalg.solve(np.eye(3) - A, w)
    true = np.concatenate([np.outer(w, b).ravel(), b])
    assert note == ""
    np.testing.assert_allclose(found, true, rtol=1e-9, atol=1e-9 * np.abs(true).max())


@pytest.mark.parametrize("framework", ["torch", "jax"])
@pytest.mark.parametrize("method", [("ift", {"linear_solver": "dense"}), ("unrolled", {"solver": "newton"})])
@pytest.mark.few(2)
def test_a_zero_pivot_says_the_same_in_both_frameworks(framework: str, method: Any) -> None:
    row = compared(**layer(framework, np.diag([0.5, 1.0, 0.5]), "float32"), methods=[method]).iloc[0]
    assert row["status"] == "diverged" and row["reason"] == (
        "I − J is singular at sample 0, so the fixed point is not isolated there and has no derivative: make step a "
        "contraction."
    )


@pytest.mark.parametrize("framework", ["torch", "jax"])
@pytest.mark.few(1)
def test_a_gradient_that_overflows_in_a_dense_solve_is_not_called_singular(framework: str) -> None:
    asked = layer(framework, np.diag([0.5, 0.2]), "float32") | {"loss": lambda z: (3e38 * z).sum()}
    row = compared(**asked, methods=[("ift", {"linear_solver": "dense"})]).iloc[0]
    assert row["status"] == "diverged" and "singular" not in row["reason"]
