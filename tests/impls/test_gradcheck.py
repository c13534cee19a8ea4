"""Each framework's own checker, central differences, and what happens as K grows."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest
import torch
from jax.test_util import check_grads
from torch.autograd import forward_ad
from torch.autograd.gradcheck import GradcheckError

from impls.problems import KIND
from tests.impls.frameworks import (
    answer,
    array,
    distance,
    enough,
    flat,
    leaves,
    loss,
    module,
    run,
    small,
    to_numpy,
    tree,
    unflat,
)

CONVERGED = {"K": 40, "M": 40}
"""0.6⁴⁰ = 1e-9, a hundredth of the tightest tolerance that it is held to."""


def torch_loss(method: str, **options: Any) -> tuple[Any, list[torch.Tensor]]:
    problem = small("tanh")
    batch, bound = tree("torch", dict(problem.batch)), loss("torch", "tanh", method, **options)
    names = sorted(problem.params)

    def value(*params: torch.Tensor) -> torch.Tensor:
        return bound(dict(zip(names, params, strict=True)), batch)[0]

    return value, [array("torch", problem.params[name]).requires_grad_() for name in names]


def jax_loss(method: str, **options: Any) -> tuple[Any, Any]:
    problem = small("tanh")
    batch, bound = tree("jax", dict(problem.batch)), loss("jax", "tanh", method, **options)
    return jax.jit(lambda params: bound(params, batch)[0]), tree("jax", problem.params)


def test_torch_accepts_ift() -> None:
    value, params = torch_loss("ift", **CONVERGED)
    assert torch.autograd.gradcheck(value, params, check_forward_ad=True)


def test_torch_refuses_jfb() -> None:
    value, params = torch_loss("jfb", K=60)
    with pytest.raises(GradcheckError):
        torch.autograd.gradcheck(value, params)


def test_jax_accepts_ift() -> None:
    value, params = jax_loss("ift", **CONVERGED)
    check_grads(value, (params,), order=1, modes=["fwd", "rev"])


@pytest.mark.parametrize("mode", ["fwd", "rev"])
def test_jax_refuses_jfb(mode: str) -> None:
    value, params = jax_loss("jfb", K=60)
    with pytest.raises(AssertionError):
        check_grads(value, (params,), order=1, modes=[mode])


@pytest.mark.parametrize("method", ["unrolled", "ift"])
@pytest.mark.few(2)
def test_fpn_along_five_directions(framework: str, method: str) -> None:
    """Central differences: eps·L/h = 5e-10 of rounding and h²/6 of truncation."""
    problem, h = small("fpn"), 1e-6
    options = CONVERGED if method == "ift" else {"K": 8}
    grads = run(framework, problem, method, **options)[1]
    bound = loss("torch", "fpn", "unrolled", K=options["K"])
    batch = tree("torch", dict(problem.batch))
    at = flat(problem.params)

    def value(vector: np.ndarray) -> float:
        with torch.no_grad():
            return float(bound(tree("torch", unflat(vector, problem.params)), batch)[0])

    for seed in range(5):
        v = np.random.default_rng(seed).normal(size=at.size)
        difference = (value(at + h * v) - value(at - h * v)) / (2 * h)
        assert abs(difference - grads @ v) < 1e-7 * np.linalg.norm(grads)


@pytest.mark.parametrize("problem", ["linear", "tanh", "newton"])
@pytest.mark.few(3)
def test_ift_does_not_depend_on_the_forward_solver(framework: str, problem: str) -> None:
    picard = answer(framework, problem, "ift", K=80, linear_solver="dense")[1]
    newton = answer(framework, problem, "ift", K=9, solver="newton", linear_solver="dense")[1]
    anderson = answer("torch", problem, "ift", K=30, solver="anderson", linear_solver="dense")[1]  # jax: test_oracles
    assert distance(newton, picard) < 1e-12
    assert distance(anderson, picard) < 1e-12


@pytest.mark.parametrize("problem", [name for name, kind in KIND.items() if kind == "implicit"])
def test_unrolled_tends_to_ift(problem: str) -> None:
    """As γᴷ; jax is held to the same numbers in test_oracles."""
    most = enough(problem)
    limit = answer("torch", problem, "ift", K=most, M=most)[1]
    errors = [distance(answer("torch", problem, "unrolled", K=K)[1], limit) for K in (2, 6, 12, 24, most)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-12 < errors[-2]


def test_jax_unrolled_meets_ift() -> None:
    limit = answer("jax", "tanh", "ift", K=80, M=80)[1]
    assert distance(answer("jax", "tanh", "unrolled", K=80)[1], limit) < 1e-12


# Second derivatives -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["ift", "jfb"])
def test_a_second_derivative_is_refused_by_torch(method: str) -> None:
    value, params = torch_loss(method)
    with pytest.raises(RuntimeError, match=f"{method} gives first derivatives only"):
        torch.autograd.grad(value(*params), params, create_graph=True)
    with forward_ad.dual_level():
        dual = value(*(forward_ad.make_dual(p, torch.ones_like(p)) for p in params))
        slope = forward_ad.unpack_dual(dual).tangent
        with pytest.raises(RuntimeError, match=f"{method} gives first derivatives only"):
            torch.autograd.grad(slope, params)


@pytest.mark.parametrize("method", ["ift", "jfb"])
def test_a_second_derivative_is_refused_by_jax(method: str) -> None:
    value, params = jax_loss(method)
    first = jax.grad(value)

    def norm(params: Any) -> Any:
        return sum((leaf**2).sum() for leaf in jax.tree.leaves(first(params)))

    for second in (
        lambda: jax.grad(norm)(params),
        lambda: jax.jvp(first, (params,), (params,)),
        lambda: jax.hessian(value)(params),
        lambda: jax.jvp(lambda p: jax.jvp(value, (p,), (params,))[1], (params,), (params,)),
    ):
        with pytest.raises(RuntimeError, match=f"{method} gives first derivatives only"):
            second()


def test_unrolled_has_the_right_hessian() -> None:
    """Against central differences of the gradient: h² of truncation, eps/h of rounding."""
    problem, h = small("tanh"), 1e-5
    at = flat(problem.params)
    v = np.random.default_rng(1).normal(size=at.size)

    value, params = torch_loss("unrolled")
    grads = torch.autograd.grad(value(*params), params, create_graph=True)
    along = tree("torch", leaves(unflat(v, problem.params)))
    slope = sum((g * d).sum() for g, d in zip(grads, along, strict=True))
    found = {"torch": flat(list(torch.autograd.grad(slope, params)))}

    scalar, nest = jax_loss("unrolled")
    along = tree("jax", unflat(v, problem.params))
    found["jax"] = flat(jax.jvp(jax.grad(scalar), (nest,), (along,))[1])

    def gradient(vector: np.ndarray) -> np.ndarray:
        inputs = [x.requires_grad_() for x in tree("torch", leaves(unflat(vector, problem.params)))]
        return flat(list(torch.autograd.grad(value(*inputs), inputs)))

    difference = (gradient(at + h * v) - gradient(at - h * v)) / (2 * h)
    assert distance(found["torch"], found["jax"]) < 1e-12
    assert distance(found["torch"], difference) < 1e-8


@pytest.mark.parametrize("method", ["unrolled", "ift", "ift_reused", "jfb"])
@pytest.mark.few(4)
def test_a_loss_may_differentiate_in_the_state(framework: str, method: str) -> None:
    """L = ‖z‖²/2 + ‖∂(Σ z³/3)/∂z‖²/2 has ∂L/∂z = z + 2 z³; of z = z A + x it is z = x (I − A)⁻¹, ∂L/∂x = g (I − A)⁻ᵀ
    and ∂L/∂A = zᵀ ∂L/∂x. JFB leaves the inverse out. A second derivative of such a loss is refused as ever."""
    rng = np.random.default_rng(0)
    A, x = 0.2 * rng.normal(size=(4, 4)), rng.normal(size=(3, 4))
    solvers = module(framework, "solvers")
    solver = solvers.Newton(3) if method == "ift_reused" else solvers.Picard(60)
    adjoint = module(framework, f"adjoints.{method}")

    def value(a: Any) -> Any:
        z = adjoint.fixed_point(lambda z, a: z @ a[0] + a[1], 0 * a[1], a, solver=solver).value
        return (z**2).sum() / 2 + (cubic_slope(framework, z) ** 2).sum() / 2

    def scalar(a: Any, batch: Any) -> Any:
        return value(a), ()

    args = tuple(array(framework, one) for one in (A, x))
    found = module(framework, "gradients.backprop").value_and_grad(scalar)(args, None, None)[1]
    inverse = np.linalg.inv(np.eye(4) - A)
    z = x @ inverse
    g = z + 2 * z**3
    pulled = g if method == "jfb" else g @ inverse.T
    assert distance(to_numpy(found[0]), z.T @ pulled) < 1e-12
    assert distance(to_numpy(found[1]), pulled) < 1e-12
    if method != "unrolled":
        with pytest.raises(RuntimeError, match=f"{method} gives first derivatives only"):
            if framework == "torch":
                asking = [one.requires_grad_() for one in args]
                torch.autograd.grad(value(asking), asking, create_graph=True)
            else:
                jax.grad(lambda a: (jax.grad(value)(a)[0] ** 2).sum())(args)


def cubic_slope(framework: str, z: Any) -> Any:
    """∂(Σ z³/3)/∂z, by the framework."""
    if framework == "torch":
        return torch.autograd.grad((z**3).sum() / 3, z, create_graph=True)[0]
    return jax.grad(lambda z: (z**3).sum() / 3)(z)
