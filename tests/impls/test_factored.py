"""Tangents of rank one: the gradient along them is that along the same arrays, and their noise is what theory says."""

from __future__ import annotations

import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from jax import lax

from impls.problems import KIND
from tests.impls.frameworks import array, distance, flat, jit, loss, module, small, tree, tree_map
from tests.impls.test_errors import sentence

M, N = 3, 2
"""Axes of the one weight of which all tangents are enumerated."""
SIGNS = np.array(list(itertools.product([-1.0, 1.0], repeat=M + N)))


def factored(framework: str, a: np.ndarray, b: np.ndarray) -> Any:
    return module(framework, "factored").Factored(array(framework, a), array(framework, b))


def drawn(framework: str, params: Any, seed: int = 0) -> Any:
    rng = torch.Generator().manual_seed(seed) if framework == "torch" else jax.random.key(seed)
    return module(framework, "tangents").LAWS["factored"](rng, params)


def dense(framework: str, tangent: Any) -> Any:
    """The same tangent as arrays."""
    return tree_map(module(framework, "perturbed").dense, tangent)


def linear_loss(framework: str, slope: np.ndarray) -> Any:
    """⟨slope, W⟩ as a sum of products: its gradient is ``slope``."""
    ops, left = module(framework, "ops"), array(framework, np.eye(M))
    return lambda params, batch: ((ops.matmul(left, params["W"]) * array(framework, slope)).sum(), ())


def estimates(framework: str, slope: np.ndarray) -> np.ndarray:
    """The forward gradients of ⟨slope, W⟩ along all tangents of rank one, as rows."""
    fn = module(framework, "gradients.forward_gradient").value_and_grad(linear_loss(framework, slope), tangents="given")
    fn = jit(framework, fn)
    params = {"W": array(framework, np.zeros((M, N)))}
    return np.stack([flat(fn(params, {}, {"W": factored(framework, s[:M], s[M:])})[1]) for s in SIGNS])


def test_over_all_of_them_the_error_is_the_least_there_is(framework: str) -> None:
    slope = np.random.default_rng(0).normal(size=(M, N))
    found, gradient = estimates(framework, slope), slope.ravel()
    assert distance(found.mean(0), gradient) < 1e-15
    errors = ((found - gradient) ** 2).sum(1) / (gradient**2).sum()
    assert errors.mean() == pytest.approx(M * N - 1, rel=1e-14)


def test_the_fourth_moment_on_a_gradient_of_rank_one(framework: str) -> None:
    """E(∇L·v)⁴ = (3‖c‖⁴ − 2Σc_i⁴)(3‖d‖⁴ − 2Σd_j⁴) for ∇L = c ⊗ d, towards 9‖∇L‖⁴; a gaussian v has 3‖∇L‖⁴."""
    c, d = np.random.default_rng(0).normal(size=M), np.random.default_rng(1).normal(size=N)
    found = estimates(framework, np.outer(c, d))
    slopes = (found**2).sum(1) / (M * N)  # g = (∇L·v) v and ‖v‖² = n
    fourth = [3 * (u @ u) ** 2 - 2 * (u**4).sum() for u in (c, d)]
    assert (slopes**2).mean() == pytest.approx(fourth[0] * fourth[1], rel=1e-13)


CASES = [
    *(
        (name, None, "picard")
        for name, kind in KIND.items()
        if kind == "explicit" and name not in ("beale", "rosenbrock")
    ),
    *(("tanh", adjoint, "picard") for adjoint in ("unrolled", "ift", "jfb")),
    ("tanh", "unrolled", "newton"),
    ("tanh", "ift", "newton"),
    ("fpn", "unrolled", "picard"),
    ("fpn", "ift", "picard"),
    ("mon", "ift", "picard"),
    ("elghaoui", "jfb", "picard"),
]


@pytest.mark.parametrize(("problem", "adjoint", "solver"), CASES)
@pytest.mark.few(10)
def test_along_one_is_along_its_array(framework: str, problem: str, adjoint: str | None, solver: str) -> None:
    """… and the product with backprop's gradient, whatever the models do with a weight."""
    options = {"K": 4, "solver": solver} | ({"linear_solver": "picard", "M": 6} if adjoint == "ift" else {})
    bound = loss(framework, problem, adjoint, **(options if adjoint else {}))
    made = small(problem)
    params, batch = tree(framework, made.params), tree(framework, dict(made.batch))
    v = drawn(framework, params)
    forward, backprop = (module(framework, f"gradients.{name}") for name in ("forward_gradient", "backprop"))

    def fn(params: Any, batch: Any, v: Any) -> tuple[Any, Any]:
        return forward.directional(bound, params, batch, v)[:2], backprop.value_and_grad(bound)(params, batch)[1]

    (value, slope), grads = jit(framework, fn)(params, batch, v)
    assert float(slope) == pytest.approx(flat(grads) @ flat(dense(framework, v)), rel=1e-11)
    assert np.isfinite(float(value))


def test_drawn_tangents_are_signs_of_rank_one(framework: str) -> None:
    params = tree(framework, small("cnn").params, "float32")
    v = drawn(framework, params)
    for layer, own in zip(dense(framework, v), params, strict=True):
        for name in ("W", "b"):
            found = np.asarray(layer[name])
            assert found.shape == tuple(own[name].shape) and found.dtype == np.float32
            assert set(np.unique(found)) <= {-1.0, 1.0}
        rows = np.asarray(layer["W"]).reshape(-1, layer["W"].shape[-1])
        assert np.linalg.matrix_rank(rows) == 1


def test_a_step_that_keeps_them_factored_is_the_same_step(framework: str) -> None:
    made = small("cnn")
    params, batch = tree(framework, made.params), tree(framework, dict(made.batch))
    build = module(framework, "gradients.forward_gradient").value_and_grad
    after = {}
    for kept in (False, True):
        fn = build(loss(framework, "cnn", None), tangents="factored", keep_factored=kept)
        step = module(framework, "training").train_step(fn)
        step = jit(framework, step)
        rng = torch.Generator().manual_seed(3) if framework == "torch" else jax.random.key(3)
        after[kept] = flat(step(params, batch, rng, 0.1)[1])
    assert distance(after[True], after[False]) < 1e-14
    assert distance(after[True], flat(params)) > 1e-3
    with pytest.raises(ValueError, match=r"a sum of 2 factored tangents has no factors: set count=1\.$"):
        build(loss(framework, "cnn", None), tangents="factored", keep_factored=True, count=2)


def test_a_model_that_knows_nothing_of_them_gets_the_same(framework: str) -> None:
    """Its products are not ``ops.matmul``: they meet arrays with tangents."""
    xp = torch if framework == "torch" else jax.numpy
    ops = module(framework, "ops")
    x = array(framework, np.random.default_rng(0).normal(size=(4, M)))
    params = {"W": array(framework, np.random.default_rng(1).normal(size=(M, N)))}
    v = {"W": factored(framework, SIGNS[3][:M], SIGNS[3][M:])}
    directional = module(framework, "gradients.forward_gradient").directional

    def users(p: Any, _: Any) -> Any:
        W, decay = p["W"], sum((leaf**2).sum() for leaf in ops.leaves(p))
        return xp.tanh(x @ W).sum() + xp.exp(W).sum() + (2 * W.T / 3 - W[0, 0]).sum() + xp.stack(
            [W, W]
        ).sum() + decay, ()

    def written(p: Any, _: Any) -> Any:
        W = ops.dense(p["W"])
        more = (2 * W.T / 3 - W[0, 0]).sum() + 2 * W.sum() + (W**2).sum()
        return xp.tanh(ops.matmul(x, p["W"])).sum() + xp.exp(W).sum() + more, ()

    plain, ours = (directional(one, params, {}, v) for one in (users, written))
    assert [float(one) for one in plain[:2]] == pytest.approx([float(one) for one in ours[:2]], rel=1e-14)


T = torch.from_numpy
X, IMAGE = (np.random.default_rng(seed).normal(size=size) for seed, size in ((2, (4, M)), (3, (1, 5, 5, M))))
DENSE = (((1,), (0,)), ((), ()))
"""Contracted axes and batch axes of a product x W."""

USES: dict[str, dict[str, Any]] = {
    "torch": {
        "mm": lambda W, K: torch.mm(T(X), W),
        "mm by keyword": lambda W, K: torch.mm(mat2=W, input=T(X)),
        "mm of x": lambda W, K: T(X).mm(W),
        "matmul, weight first": lambda W, K: torch.matmul(W.T, T(X).T),
        "addmm": lambda W, K: torch.addmm(torch.ones(N, dtype=W.dtype), T(X), W),
        "linear": lambda W, K: F.linear(weight=W.T, input=T(X)),
        "weight as input": lambda W, K: F.linear(W, T(X[:, :N])),
        "einsum": lambda W, K: torch.einsum("jk,ij->ik", W, T(X)),
        "einsum of a list": lambda W, K: torch.einsum("ij,jk->ik", [T(X), W]),
        "tensordot": lambda W, K: torch.tensordot(T(X), W, dims=1),
        "multi_dot": lambda W, K: torch.linalg.multi_dot([T(X), W]),
        "conv2d": lambda W, K: F.conv2d(weight=K.permute(3, 2, 0, 1), input=T(IMAGE).permute(0, 3, 1, 2)),
        "conv_transpose2d": lambda W, K: F.conv_transpose2d(T(IMAGE).permute(0, 3, 1, 2), K.permute(2, 3, 0, 1)),
        "conv2d, weight as image": lambda W, K: F.conv2d(K, torch.ones(1, 3, 2, 2, dtype=K.dtype)),
        "where": lambda W, K: torch.where(W > 0, W**2, torch.where(W != 0, -W, W)),
        "broadcast": lambda W, K: torch.broadcast_tensors(W, torch.ones(M, N))[0] ** 2,
        "remainder": lambda W, K: W % 2 + 3 * +W,
    },
    "jax": {
        "dot": lambda W, K: lax.dot(jnp.asarray(X), W),
        "dot_general": lambda W, K: lax.dot_general(jnp.asarray(X), W, DENSE),
        "dot_general, weight first": lambda W, K: lax.dot_general(W, jnp.asarray(X), (((0,), (1,)), ((), ()))),
        "conv": lambda W, K: lax.conv(IMAGE.transpose(0, 3, 1, 2), lax.transpose(K, (3, 2, 0, 1)), (1, 1), "SAME"),
        "conv_general_dilated": lambda W, K: lax.conv_general_dilated(
            jnp.asarray(IMAGE), K, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        ),
        "weight as image": lambda W, K: lax.conv_general_dilated(K, jnp.ones((1, 3, 2, 2)), (1, 1), "VALID"),
        "einsum": lambda W, K: jnp.einsum("jk,ij->ik", W, X),
        "mul and exp": lambda W, K: lax.mul(lax.exp(W), W),
        "reduce": lambda W, K: lax.reduce(W, jnp.zeros(()), lax.add, (0,)),
        "dynamic_slice": lambda W, K: lax.dynamic_slice(W, (0, 0), (1, 2)) ** 2,
        "where": lambda W, K: jnp.where(W > 0, W**2, jnp.where(W != 0, -W, W)),
        "remainder": lambda W, K: W % 2 + 3 * +W,
        "scan": lambda W, K: lax.scan(lambda c, row: (c + row**2, None), jnp.zeros(N), W)[0],
        "jit": lambda W, K: jax.jit(lambda w, x: module("jax", "ops").matmul(x, w))(W, X),
        "vmap": lambda W, K: jax.vmap(lambda row: row**2)(W),
        "checkpoint": lambda W, K: jax.checkpoint(lambda w: jnp.asarray(X) @ w)(W),
        "grad": lambda W, K: jax.grad(lambda w: (w**3).sum())(W),
        "numpy on the left": lambda W, K: X @ W,
    },
}


@pytest.mark.parametrize(("name", "use"), [(fw, use) for fw, uses in USES.items() for use in uses])
@pytest.mark.few(16)
def test_whatever_takes_a_weight_takes_one_along_a_tangent(name: str, use: str) -> None:
    """… in any place among its arguments: the derivative is the product with backprop's gradient."""
    params = {
        "K": array(name, np.random.default_rng(5).normal(size=(3, 3, M, N))),
        "W": array(name, np.random.default_rng(4).normal(size=(M, N))),
    }
    v = drawn(name, params)

    def bound(p: Any, _: Any) -> Any:
        return (USES[name][use](p["W"], p["K"]) ** 2).sum() + 0 * (p["W"].sum() + p["K"].sum()), ()

    slope = module(name, "gradients.forward_gradient").directional(bound, params, {}, v)[1]
    grads = module(name, "gradients.backprop").value_and_grad(bound)(params, {})[1]
    assert abs(float(slope)) > 1e-3
    assert float(slope) == pytest.approx(flat(grads) @ flat(dense(name, v)), rel=1e-11)


@pytest.mark.parametrize(
    "use",
    [
        lambda W: torch.func.vmap(lambda row: row**2)(W),
        lambda W: torch.func.functional_call(torch.nn.Linear(N, M, bias=False), {"weight": W}, torch.ones(1, N)),
        lambda W: W.mul_(2),
        lambda W: torch.relu_(W),
        lambda W: F.relu(W, inplace=True),
        lambda W: torch.add(torch.ones(M, N), 1, out=W),
        lambda W: W.__setitem__(0, 1),
    ],
)
def test_torch_says_what_takes_none(use: Any) -> None:
    """What looks for a tensor itself, or changes one in place; with ``ops.dense`` the former two are right."""
    params = {"W": torch.ones(M, N)}
    directional = module("torch", "gradients.forward_gradient").directional
    with pytest.raises(TypeError, match=r"ops\.dense") as caught:
        directional(lambda p, _: (use(p["W"]).sum(), ()), params, {}, {"W": torch.ones(M, N)})
    assert sentence(caught)
    assert torch.equal(params["W"], torch.ones(M, N))


def test_a_module_takes_what_dense_makes() -> None:
    made, W = torch.nn.Linear(N, M, bias=False), torch.ones(M, N)

    def bound(p: Any, _: Any) -> Any:
        p = module("torch", "ops").dense(p)
        return torch.func.functional_call(made, {"weight": p["W"]}, torch.ones(1, N)).sum(), ()

    slope = module("torch", "gradients.forward_gradient").directional(bound, {"W": W}, {}, {"W": 2 * W})[1]
    assert float(slope) == 2 * M * N


def test_a_tensor_that_stands_twice_has_two_tangents(framework: str) -> None:
    W = array(framework, np.ones((M, N)))
    first, second = drawn(framework, [W, W])
    assert not np.array_equal(np.asarray(first.dense()), np.asarray(second.dense()))


def test_jax_keeps_the_direction_through_a_derivative_inside() -> None:
    """Torch refuses it; here ∂/∂eps of a derivative in x comes out as the product with backprop's gradient."""
    ops, x = module("jax", "ops"), jax.numpy.asarray(np.random.default_rng(0).normal(size=(4, M)))
    params = {"W": jax.numpy.asarray(np.random.default_rng(1).normal(size=(M, N)))}
    v = {"W": factored("jax", SIGNS[5][:M], SIGNS[5][M:])}

    def penalty(p: Any, _: Any) -> Any:
        f = lambda x: jax.numpy.tanh(ops.matmul(x, p["W"]))  # noqa: E731
        value, push = jax.linearize(f, x)
        return (jax.jvp(f, (x,), (jax.numpy.ones_like(x),))[1] ** 2).sum() + (value * push(x)).sum(), ()

    slope = module("jax", "gradients.forward_gradient").directional(penalty, params, {}, v)[1]
    grads = jax.grad(lambda p: penalty(p, {})[0])(params)
    assert float(slope) == pytest.approx(flat(grads) @ flat(dense("jax", v)), rel=1e-12)


def test_torch_refuses_a_recorded_state() -> None:
    ops, made = module("torch", "ops"), module("torch", "perturbed")
    W, v = torch.ones(M, N), torch.ones(M, N)
    with pytest.raises(TypeError, match=r"give step the arrays that ops\.dense makes of its arguments\.$"):
        ops.matmul(torch.ones(1, M, requires_grad=True), made.Perturbed(W, v))


def test_jax_differentiates_along_it_once_more() -> None:
    """Reverse mode over the directional derivative is the Hessian times the tangent."""
    bound, made = loss("jax", "mlp", None), small("mlp")
    params, batch = tree("jax", made.params), tree("jax", dict(made.batch))
    v = drawn("jax", params)
    directional = module("jax", "gradients.forward_gradient").directional

    @jax.jit
    def both(p: Any, u: Any) -> tuple[Any, Any]:
        return (
            jax.grad(lambda p: directional(bound, p, batch, v)[1])(p),
            jax.jvp(jax.grad(lambda p: bound(p, batch)[0]), (p,), (u,))[1],
        )

    found, expected = both(params, dense("jax", v))
    assert distance(flat(found), flat(expected)) < 1e-12
