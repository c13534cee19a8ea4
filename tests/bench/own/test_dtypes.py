"""Complex, short and sparse arrays: the gradient of plain autograd, or one sentence."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from jax.experimental import sparse

from bench.own.compare import ask
from bench.own.model import model
from bench.own.nest import eps
from tests.bench.own.asked import compared, only

pytestmark = pytest.mark.filterwarnings("ignore:Sparse CS. tensor support is in beta state")
RNG = np.random.default_rng(0)
W = (RNG.normal(size=(4, 4)) + 1j * RNG.normal(size=(4, 4))).astype(np.complex64)
B = RNG.normal(size=4).astype(np.float32)
X = RNG.normal(size=(8, 4)).astype(np.float32)
SOLVES: list[Any] = [
    ("ift", {"linear_solver": "gmres"}),
    ("ift", {"linear_solver": "dense", "solver": "anderson"}),
    ("ift", {"linear_solver": "anderson", "solver": "newton"}),
    "ift_reused",
]
"""All that factorises; ``tests/impls/test_scales.py`` has every solver in both short dtypes."""
XP: dict[str, Any] = {"torch": torch, "jax": jnp}
BOTH = pytest.mark.parametrize("framework", XP)


def array(framework: str, numbers: np.ndarray, dtype: str = "") -> Any:
    made = torch.tensor(numbers) if framework == "torch" else jnp.asarray(numbers)
    if not dtype:
        return made
    return made.to(getattr(torch, dtype)) if framework == "torch" else made.astype(dtype)


def modulus(p: Any, x: Any) -> Any:
    """A real loss of a complex weight and a real bias."""
    return abs((x + 0j) @ p["w"] + p["b"]).mean()


def closed_form() -> tuple[np.ndarray, np.ndarray]:
    """∂L/∂re + i ∂L/∂im of ``modulus``: of mean |y| it is y/|y|/n, and y = x w + b."""
    y = X.astype(np.float64) @ W.astype(np.complex128) + B
    g = y / abs(y) / y.size
    return X.T @ g, g.sum(0).real


@BOTH
def test_complex_parameters_get_the_gradient_of_their_closed_form(framework: str) -> None:
    asked = {
        "loss": modulus,
        "params": {"w": array(framework, W), "b": array(framework, B)},
        "batch": array(framework, X),
    }
    taken = model(ask(**asked))
    import importlib

    backprop = importlib.import_module(f"impls.{framework}.gradients.backprop")
    g_w, g_b = closed_form()
    for one in (taken, taken.in_reals):
        names = [np.asarray(leaf).size for leaf in one.leaves]
        found = one.flat(backprop.value_and_grad(one.loss())(one.leaves, one.rest)[1])
        parts = {len(part): part for part in np.split(found, [len(found) - (4 if names[-1] == 4 else 32)])}
        wanted = np.stack([g_w.real, g_w.imag], -1).ravel()
        np.testing.assert_allclose(parts[32], wanted, atol=1e-6)
        np.testing.assert_allclose(parts[4], g_b, atol=1e-6)


@BOTH
@pytest.mark.few(1)
def test_complex_parameters_are_measured_by_every_explicit_method(framework: str) -> None:
    found = compared(
        loss=modulus,
        params={"w": array(framework, W), "b": array(framework, B)},
        batch=array(framework, X),
        methods=["backprop", ("forward_gradient", {"tangents": "basis", "count": 36})],
    )
    assert list(found["status"]) == ["ok", "ok"] and not any(found["reason"])
    # With all n basis tangents forward gradient is the gradient itself, along real and imaginary parts.
    assert (found["gradient_error"] < 1e-5).all()
    for row in found.rows[1:]:
        if row["measure"] == "exact":
            names = ("parameters", "parameter_bytes", "result_bytes")
            assert [row["values"][name] for name in names] == [36, 36 * 4, 36 * 4]


@BOTH
@pytest.mark.few(1)
def test_a_complex_state_is_solved_along_real_and_imaginary_parts(framework: str) -> None:
    xp = XP[framework]
    weights, shift = array(framework, 0.1 * W), array(framework, W[:3])

    def step(z: Any, a: Any) -> Any:
        return z @ a[0] + 0.1 * xp.conj(z) + 0.1 * xp.tanh(abs(z)) * a[1] + a[1]  # not holomorphic

    found = compared(
        step=step,
        z0=xp.zeros((3, 4), dtype=xp.complex64),
        args=(weights, shift),
        loss=lambda z: (abs(z) ** 2).mean(),
        methods=["unrolled", ("ift", {"linear_solver": "gmres"})],
        K=40,
    )
    assert list(found["status"]) == ["ok"] * 2 and not any(found["reason"])
    assert (found["gradient_error"] < 1e-4).all()


@BOTH
@pytest.mark.parametrize("last", ["complex", "whole"])
def test_a_loss_that_has_no_gradient_is_told_so(framework: str, last: str) -> None:
    asked = {"params": array(framework, W), "batch": array(framework, X)}
    row = only(
        compared(
            loss=(lambda p, x: ((x + 0j) @ p).sum()) if last == "complex" else lambda p, x: abs(p).argmax(),
            **asked,
            methods=["backprop"],
        )
    )
    assert row["status"] == "failed" and row["reason"].endswith("it must return a real floating number.")


@BOTH
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.few(1)
def test_short_floats_have_a_reference(framework: str, dtype: str) -> None:
    xp = XP[framework]
    weights, x = array(framework, 0.2 * W.real, dtype), array(framework, X, dtype)
    half = array(framework, np.asarray(0.5), dtype)
    row = only(compared(loss=lambda p, x: (xp.tanh(x @ p) ** 2).mean(), params=weights, batch=x, methods=["backprop"]))
    assert row["status"] == "ok" and row["reason"] == "" and row["gradient_error"] < 8 * eps(dtype)
    found = compared(
        step=lambda z, a: xp.tanh(a[2] * (z @ a[0]) + a[1]),
        z0=xp.zeros_like(x),
        args=(weights, x, half),
        loss=lambda z: (z**2).mean(),
        methods=SOLVES if dtype == "bfloat16" else ["ift"],
        K=20,
    )
    assert set(found["status"]) == {"ok"} and not any(found["reason"])
    assert (found["gradient_error"] < 8 * eps(dtype)).all()


@BOTH
@pytest.mark.parametrize("implicit", [False, True], ids=["loss", "step"])
def test_an_operation_without_the_dtype_is_no_failure_of_the_method(framework: str, implicit: bool) -> None:
    qr = torch.linalg.qr if framework == "torch" else jnp.linalg.qr
    x = array(framework, X[:4], "bfloat16")
    asked: dict[str, Any] = {"loss": lambda p, b: qr(b @ p)[1].sum(), "params": x, "batch": x, "methods": ["backprop"]}
    if implicit:
        asked = {"step": lambda z, a: 0.1 * qr(z @ a)[1], "z0": x, "args": x, "loss": lambda z: z.sum()}
    found = compared(**asked)
    assert set(found["status"]) == {"n/a"}
    assert all(one.startswith("An operation does not take arrays of this dtype (") for one in found["reason"])
    assert all(one.endswith("): cast them around it, or give the model another dtype.") for one in found["reason"])


def test_a_module_without_a_forward_is_the_callers_to_write() -> None:
    found = compared(loss=lambda m, x: m(x).sum(), params=Unwritten(), batch=torch.ones(3), methods=["backprop"])
    assert only(found)["status"] == "failed" and 'missing the required "forward" function' in only(found)["reason"]


class Unwritten(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = torch.nn.Parameter(torch.ones(3))


@BOTH
def test_a_float_of_eight_bits_is_measured(framework: str) -> None:
    weights = array(framework, W.real, "float8_e5m2")
    cast = (lambda p: p.float()) if framework == "torch" else lambda p: p.astype("float32")
    row = only(
        compared(
            loss=lambda p, x: (x @ cast(p)).mean(), params=weights, batch=array(framework, X), methods=["backprop"]
        )
    )
    assert row["status"] == "ok" and row["reason"].startswith("No gradient error: ")


def test_the_rounding_of_a_dtype_is_that_of_its_mantissa() -> None:
    for name in ("float64", "float32", "bfloat16", "float16", "float8_e4m3fn", "float8_e5m2"):
        assert eps(name) == float(jnp.finfo(name).eps)


def test_the_gradient_of_a_sparse_embedding_counts_what_it_stores() -> None:
    torch.manual_seed(0)
    table = torch.nn.Embedding(50, 4, sparse=True)
    found = compared(
        loss=lambda m, i: (m(i) ** 2).sum(), params=table, batch=torch.tensor([1, 2, 3, 3]), methods=["backprop"]
    )
    row, values = only(found), found.typed[1].values
    assert row["status"] == "ok" and row["gradient_error"] < 1e-6 and "in no table" in row["reason"]
    assert values.parameters == 200 and values.parameter_bytes == 800
    assert values.result_bytes == 4 * (4 * 4 + 8)  # four rows of four floats, and their numbers
    assert values.peak_bytes < 800


def sparse_of(framework: str, dense: np.ndarray, layout: str) -> Any:
    if framework == "jax":
        return {"coo": sparse.BCOO, "csr": sparse.BCSR}[layout].fromdense(jnp.asarray(dense))
    return getattr(torch.tensor(dense), {"coo": "to_sparse", "csr": "to_sparse_csr", "csc": "to_sparse_csc"}[layout])()


@pytest.mark.parametrize(
    ("framework", "layout"),
    [("torch", "coo"), ("torch", "csr"), ("torch", "csc"), pytest.param("jax", "coo", marks=pytest.mark.long)],
)
@pytest.mark.few(1)
def test_the_stored_values_of_a_sparse_array_get_a_gradient(framework: str, layout: str) -> None:
    """Of Σ (A x)²: 2 (A x) xᵀ where A stores a value."""
    dense = (W.real * (abs(W.real) > 0.5)).astype(np.float32)
    kept = int((dense != 0).sum())
    asked = {
        "loss": lambda p, x: ((p["A"] @ x) ** 2).sum(),
        "params": {"A": sparse_of(framework, dense, layout)},
        "batch": array(framework, X[:4]),
        "methods": ["backprop"],
    }
    found = compared(**asked)
    assert only(found)["status"] == "ok" and only(found)["gradient_error"] < 1e-5
    assert found.rows[1]["values"]["parameters"] == kept
    batch = compared(
        **asked | {"params": array(framework, X[:4]), "batch": {"A": asked["params"]["A"]}, "loss": _swapped}
    )
    assert only(batch)["status"] == "ok" and only(batch)["gradient_error"] < 1e-5
    assert batch.rows[1]["values"]["parameters"] == 16


def _swapped(p: Any, b: Any) -> Any:
    return ((b["A"] @ p) ** 2).sum()


@BOTH
@pytest.mark.few(1)
def test_an_implicit_model_on_a_graph_takes_a_sparse_matrix(framework: str) -> None:
    xp = XP[framework]
    graph = sparse_of(framework, (W.real * (abs(W.real) > 0.5)).astype(np.float32), "csr")
    args = {"A": graph, "W": array(framework, 0.1 * W.real), "x": array(framework, X[:4])}
    found = compared(
        step=lambda z, a: xp.tanh(a["x"] + 0.1 * (a["A"] @ z) @ a["W"]),
        z0=xp.zeros((4, 4)),
        args=args,
        loss=lambda z: (z**2).mean(),
        methods=["ift"],
        K=30,
    )
    assert only(found)["status"] == "ok" and only(found)["gradient_error"] < 1e-5


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (
            {"params": torch.ones(2), "batch": [torch.nested.nested_tensor([torch.ones(2)], layout=torch.jagged)]},
            r"batch\[0\] is a nested",
        ),
        ({"params": {"m": torch.ones(2, 2).to_mkldnn()}}, r'params\["m"\] is a tensor of the layout torch\._mkldnn'),
        (
            {"step": lambda z, a: z, "z0": torch.eye(2).to_sparse(), "args": torch.ones(2)},
            "z0 must be one floating tensor",
        ),
    ],
    ids=["nested", "mkldnn", "sparse state"],
)
def test_a_layout_that_cannot_be_taken_apart_is_refused(asked: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        compared(loss=lambda *_: torch.ones(()), **asked)


def test_the_layers_of_one_jax_gradient_follow_its_own_convention() -> None:
    """jax.grad of a complex number is ∂L/∂re − i ∂L/∂im; ``flat`` gives both derivatives as they are."""
    w = jnp.asarray(W)
    taken = model(ask(loss=lambda p, x: (abs(p) ** 2).sum() + p.imag.sum(), params=w))
    found = taken.flat([jax.grad(lambda p: taken.loss()([p], taken.rest)[0])(w)])
    wanted = np.stack([2 * W.real, 2 * W.imag + 1], -1).ravel()
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
