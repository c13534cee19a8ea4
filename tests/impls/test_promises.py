"""What the methods promise beyond their oracles: the lecture's point, forward gradients' laws, and clear refusals."""

from __future__ import annotations

import ast
import inspect
import itertools
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import jax
import jax.test_util
import numpy as np
import pytest
import torch
from torch.autograd.gradcheck import GradcheckError

import impls
from impls import problems
from impls.catalog import METHODS
from tests.impls.frameworks import answer, distance, flat, loss, module, small, solve, tangent, tree, unflat

ADJOINTS = [name for name, row in METHODS.items() if row.interface == "adjoint"]


# The implicit function theorem does not care who found z* --------------------------------------------------------


@pytest.mark.parametrize("problem", ["linear", "tanh", "newton"])
def test_ift_is_the_same_through_every_solver(framework: str, problem: str) -> None:
    picard = answer(framework, problem, "ift", K=80, solver="picard", linear_solver="dense")[1]
    newton = answer(framework, problem, "ift", K=8, solver="newton", linear_solver="dense")[1]
    assert distance(newton, picard) < 1e-12


def test_unrolled_tends_to_ift() -> None:
    exact = answer("torch", "tanh", "ift", K=80, M=80)[1]
    errors = [distance(answer("torch", "tanh", "unrolled", K=steps)[1], exact) for steps in (2, 5, 10, 20, 80)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-12


def torch_fixed_point(adjoint: str) -> Any:
    """args ↦ z* of the tanh problem, for gradcheck."""
    fixed_point = module("torch", f"adjoints.{adjoint}").fixed_point
    step = module("torch", "models").tanh_step
    options = {"linear_solver": module("torch", "linear_solvers").Dense()} if adjoint == "ift" else {}
    solver = module("torch", "solvers").Picard(80)
    return lambda W, xU: fixed_point(step, torch.zeros_like(xU), (W, xU), solver=solver, **options).value


def test_gradcheck_passes_for_ift_and_fails_for_jfb() -> None:
    params = tree("torch", small("tanh").params)
    xU = torch.from_numpy(small("tanh").batch["x"]) @ params["U"]
    args = (params["W"].requires_grad_(), xU.requires_grad_())
    assert torch.autograd.gradcheck(torch_fixed_point("ift"), args, check_forward_ad=True)
    with pytest.raises(GradcheckError):
        torch.autograd.gradcheck(torch_fixed_point("jfb"), args)


def test_check_grads_passes_for_ift_and_fails_for_jfb() -> None:
    params, batch = tree("jax", small("tanh").params), tree("jax", dict(small("tanh").batch))

    def value(method: str) -> Any:
        bound = loss("jax", "tanh", method, K=80, **({"M": 80} if method == "ift" else {}))
        return jax.jit(lambda p: bound(p, batch)[0])

    jax.test_util.check_grads(value("ift"), (params,), order=1, modes=("fwd", "rev"))
    with pytest.raises(AssertionError):
        jax.test_util.check_grads(value("jfb"), (params,), order=1, modes=("rev",))


@pytest.mark.parametrize("method, options", [("unrolled", {}), ("ift", {"M": 60})])
def test_fpn_against_central_differences(method: str, options: dict[str, Any]) -> None:
    problem, h = small("fpn"), 1e-5
    centre = flat(problem.params)
    grads = answer("torch", "fpn", method, K=60, **options)[1]
    bound = loss("torch", "fpn", "jfb", K=60)
    batch = tree("torch", dict(problem.batch))
    rng = np.random.default_rng(0)
    for _ in range(5):
        v = rng.normal(size=centre.size)
        v /= np.linalg.norm(v)
        plus, minus = (
            float(bound(tree("torch", unflat(centre + sign * h * v, problem.params)), batch)[0]) for sign in (1, -1)
        )
        # Rounding eps/h and truncation h² both stay below 1e-9 of a gradient of order one.
        assert (plus - minus) / (2 * h) == pytest.approx(grads @ v, abs=1e-9 * max(1, np.linalg.norm(grads)))


# Forward gradients -----------------------------------------------------------------------------------------------


def tiny() -> problems.Problem:
    return problems.make("linear", width=2, inputs=2, batch=2)


def tiny_gradient() -> np.ndarray:
    return flat(solve("torch", tiny(), "unrolled", K=5)[1])


def along(framework: str, v: np.ndarray) -> np.ndarray:
    return flat(solve(framework, tiny(), "unrolled", tangent=unflat(v, tiny().params), K=5)[1])


def test_basis_tangents_sum_to_the_gradient(framework: str) -> None:
    assert distance(sum(along(framework, e) for e in np.eye(8)), tiny_gradient()) < 1e-12


def test_all_rademacher_tangents_have_the_exact_mean_and_error(framework: str) -> None:
    g = tiny_gradient()
    found = np.stack([along(framework, np.array(signs)) for signs in itertools.product((-1.0, 1.0), repeat=8)])
    assert distance(found.mean(0), g) < 1e-12
    assert ((found - g) ** 2).sum(1).mean() / (g @ g) == pytest.approx(8 - 1, rel=1e-12)


def draws(framework: str, law: str, count: int) -> np.ndarray:
    params = tree(framework, tiny().params)
    draw = module(framework, "tangents").LAWS[law]
    if framework == "torch":
        generator = torch.Generator().manual_seed(0)
        return np.stack([flat(draw(generator, params)) for _ in range(count)])
    keys = jax.random.split(jax.random.key(0), count)
    drawn = jax.jit(jax.vmap(lambda key: draw(key, params)))(keys)
    return np.concatenate([np.asarray(drawn[name]).reshape(count, -1) for name in sorted(drawn)], axis=1)


def test_gaussian_error_is_n_plus_one(framework: str) -> None:
    v, g = draws(framework, "gaussian", 4000), np.arange(1.0, 9.0)
    errors = (((v @ g)[:, None] * v - g) ** 2).sum(1) / (g @ g)
    assert abs(errors.mean() - 9) < 4 * errors.std() / np.sqrt(len(v))


def test_rademacher_and_sphere_have_length_root_n(framework: str) -> None:
    assert set(np.unique(draws(framework, "rademacher", 50))) == {-1.0, 1.0}
    assert (draws(framework, "sphere", 50) ** 2).sum(1) == pytest.approx(8.0, rel=1e-12)


def test_count_averages(framework: str) -> None:
    bound = loss(framework, "linear", "unrolled", K=5)
    vs = np.random.default_rng(3).normal(size=(3, 8))
    split = [unflat(v, tiny().params) for v in vs]
    given = tree(framework, {name: np.stack([one[name] for one in split]) for name in split[0]})
    fn = module(framework, "gradients.forward_gradient").value_and_grad(bound, tangents=given, count=3)
    found = fn(tree(framework, tiny().params), tree(framework, dict(tiny().batch)), None)[1]
    assert distance(flat(found), np.mean([along(framework, v) for v in vs], axis=0)) < 1e-12


# Second derivatives ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["ift", "jfb"])
def test_a_second_derivative_raises(framework: str, method: str) -> None:
    params, batch = tree(framework, small("tanh").params), tree(framework, dict(small("tanh").batch))
    bound = loss(framework, "tanh", method)
    if framework == "torch":
        params["W"].requires_grad_()
        with pytest.raises(RuntimeError, match="first derivatives only"):
            torch.autograd.grad(bound(params, batch)[0], params["W"], create_graph=True)
        return
    gradient = jax.grad(lambda p: bound(p, batch)[0])
    v = tree("jax", tangent(small("tanh")))
    for second in (
        lambda: jax.jvp(gradient, (params,), (v,)),
        lambda: jax.grad(lambda p: (gradient(p)["W"] ** 2).sum())(params),
        lambda: jax.jvp(jax.jit(gradient), (params,), (v,)),
    ):
        with pytest.raises(RuntimeError, match="first derivatives only"):
            second()


@pytest.mark.parametrize("method", ["ift", "jfb"])
def test_reverse_over_forward_raises(method: str) -> None:
    params, batch = tree("torch", small("tanh").params), tree("torch", dict(small("tanh").batch))
    bound = loss("torch", "tanh", method)
    W = params["W"].requires_grad_()
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(W, torch.ones_like(W))
        slope = torch.autograd.forward_ad.unpack_dual(bound({**params, "W": dual}, batch)[0]).tangent
        with pytest.raises(RuntimeError, match="first derivatives only"):
            torch.autograd.grad(slope, W)


def test_unrolled_has_a_second_derivative() -> None:
    bound, batch = loss("torch", "tanh", "unrolled"), tree("torch", dict(small("tanh").batch))
    params = tree("torch", small("tanh").params)
    W = params["W"].requires_grad_()
    assert torch.autograd.gradgradcheck(lambda W: bound({**params, "W": W}, batch)[0], (W,))


# Refusals --------------------------------------------------------------------------------------------------------


def test_names_are_looked_up_with_a_hint(framework: str) -> None:
    for call, hint in (
        (lambda: problems.make("tahn"), "tanh"),
        (lambda: problems.make("tanh", widht=3), "width"),
        (lambda: module(framework, "models").loss("lienar"), "linear"),
        (lambda: module(framework, "gradients.forward_gradient").value_and_grad(None, tangents="gausian"), "gaussian"),
    ):
        with pytest.raises(LookupError, match=f"did you mean .*{hint}"):
            call()


def test_bad_numbers_are_refused(framework: str) -> None:
    solvers, linear = module(framework, "solvers"), module(framework, "linear_solvers")
    for kind in (solvers.Picard, solvers.Newton, linear.Picard, linear.GMRES):
        for bad in ({"steps": 0}, {"steps": 2.5}, {"tol": -1.0}, {"tol": float("nan")}):
            with pytest.raises(ValueError, match="must be"):
                kind(**bad)


def test_solvers_that_cannot_serve_unrolled(framework: str) -> None:
    solvers, linear = module(framework, "solvers"), module(framework, "linear_solvers")
    fixed_point = module(framework, "adjoints.unrolled").fixed_point
    for solver in (solvers.Picard(5, tol=1e-3), solvers.Newton(5, linear_solver=linear.GMRES(3))):
        with pytest.raises(ValueError, match=r"unrolled .* use ift"):
            fixed_point(None, None, (), solver=solver)


def test_shapes_that_do_not_fit(framework: str) -> None:
    ops = module(framework, "ops")
    one, other = (tree(framework, np.ones(shape)) for shape in ((2, 3), (4, 5)))
    image, kernel = (tree(framework, np.ones(shape)) for shape in ((1, 4, 4, 2), (3, 3, 1, 1)))
    with pytest.raises(ValueError, match="does not fit"):
        ops.matmul(one, other)
    with pytest.raises(ValueError, match="does not fit"):
        ops.conv2d(image, kernel)
    for adjoint in ADJOINTS:
        with pytest.raises(ValueError, match="same shape"):
            solver = module(framework, "solvers").Picard(1)
            module(framework, f"adjoints.{adjoint}").fixed_point(lambda z, _: z[:, :2], one, (), solver=solver)
    with pytest.raises(ValueError, match="tangent of shape"):
        solve(framework, tiny(), "unrolled", tangent={"A": np.ones((3, 3)), "B": np.ones((2, 2))}, K=5)


def singular(framework: str) -> Any:
    """z = z + xB: I − J is zero."""
    problem = problems.make("linear", width=2, inputs=2, batch=2)
    params = {"A": np.eye(2), "B": problem.params["B"]}
    return problems.Problem("linear", problem.sizes, params, problem.batch)


def test_a_singular_system_is_said() -> None:
    with pytest.raises(torch.linalg.LinAlgError, match="I − J is singular"):
        solve("torch", singular("torch"), "ift", K=3, linear_solver="dense")
    value, grads, _ = solve("jax", singular("jax"), "ift", K=3, linear_solver="dense")
    with pytest.raises(FloatingPointError, match="I − J is singular"):
        module("jax", "finite").require_finite(value, grads)


def test_a_loss_that_is_no_number_is_said(framework: str) -> None:
    value, grads = tree(framework, np.array(np.nan)), tree(framework, {"W": np.ones(2)})
    with pytest.raises(FloatingPointError, match="The loss is nan"):
        module(framework, "finite").require_finite(value, grads)


def test_missed_tolerances_are_never_silent(framework: str) -> None:
    _, grads, found = solve(framework, small("tanh"), "ift", K=3, tol=1e-12, M=2, backward_tol=1e-12)
    assert not bool(found.converged)
    assert np.isnan(flat(grads)).all()


def test_met_tolerances_stop_early(framework: str) -> None:
    _, grads, found = solve(framework, small("tanh"), "ift", K=80, tol=1e-9, M=80, backward_tol=1e-9)
    assert bool(found.converged) and 5 < float(found.steps) < 80
    exact = answer("torch", "tanh", "ift", K=80, M=80)[1]
    assert distance(flat(grads), exact) < 1e-8


# Linear solvers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["gmres", "dense"])
@pytest.mark.parametrize("kind", ["random", "identity", "zero"])
def test_linear_solvers(framework: str, name: str, kind: str) -> None:
    rng = np.random.default_rng(0)
    J = np.zeros((4, 4)) if kind == "identity" else rng.normal(size=(4, 4)) / 6
    b = np.zeros((3, 4)) if kind == "zero" else rng.normal(size=(3, 4))
    M = module(framework, "linear_solvers").LINEAR_SOLVERS[name]
    M = M() if name == "dense" else M(6)
    J_there = tree(framework, J)
    x = M(lambda v: v - v @ J_there, tree(framework, b)).value
    assert np.allclose(flat(x), (b @ np.linalg.inv(np.eye(4) - J)).ravel(), rtol=1e-12, atol=1e-14)


# Twins -----------------------------------------------------------------------------------------------------------

ROOT = Path(impls.__file__).parent
FILES = sorted(path.relative_to(ROOT / "torch") for path in (ROOT / "torch").rglob("*.py"))


def test_the_twins_have_the_same_files() -> None:
    assert sorted(path.relative_to(ROOT / "jax") for path in (ROOT / "jax").rglob("*.py")) == FILES


@pytest.mark.parametrize("path", FILES, ids=str)
def test_the_twins_have_the_same_names_and_signatures(path: Path) -> None:
    dotted = ".".join(path.with_suffix("").parts).removesuffix("__init__").removesuffix(".")
    found = []
    for framework in ("torch", "jax"):
        twin = import_module(f"impls.{framework}.{dotted}".removesuffix("."))
        found.append(
            {
                name: list(inspect.signature(value).parameters)
                for name, value in vars(twin).items()
                if inspect.isfunction(value) and value.__module__ == twin.__name__ and not name.startswith("_")
            }
            | {
                name: []
                for name, value in vars(twin).items()
                if inspect.isclass(value) and value.__module__ == twin.__name__ and not name.startswith("_")
            }
        )
    torch_only = {"iterate"}  # jax's loop over a solver's updates is a scan or a while loop; torch's is a for
    assert {k: v for k, v in found[0].items() if k not in torch_only} == {
        k: v for k, v in found[1].items() if k not in torch_only
    }


@pytest.mark.parametrize("name", METHODS)
def test_every_row_has_a_short_file_in_both(name: str) -> None:
    for framework in ("torch", "jax"):
        path = ROOT / framework / f"{METHODS[name].interface}s" / f"{name}.py"
        source = path.read_text(encoding="utf-8")
        assert len(source.splitlines()) <= 80
        assert ast.get_docstring(ast.parse(source))


def test_no_tensor_outlives_a_call() -> None:
    import gc

    def alive() -> int:
        gc.collect()
        return sum(issubclass(type(one), torch.Tensor) for one in gc.get_objects())

    run = partial(solve, "torch", small("tanh"), "ift", K=4)
    run()
    before = alive()
    for _ in range(30):
        run()
    assert alive() == before
