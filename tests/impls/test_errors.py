"""Bad input and failed solves are said in one sentence, alike in both frameworks."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch

from impls import oracles
from impls.catalog import METHODS
from impls.names import pick
from impls.problems import make
from tests.impls.frameworks import FRAMEWORKS, array, flat, loss, module, run, small, solve, to_numpy, tree


def sentence(caught: pytest.ExceptionInfo[BaseException]) -> str:
    """The message, which must be one sentence on one line."""
    text = str(caught.value.args[0])
    assert "\n" not in text
    assert text.endswith((".", "?"))
    assert not re.search(r"[.!?] [A-Z]", text), f"more than one sentence: {text}"
    return text


@pytest.mark.parametrize(
    ("call", "nearest"),
    [
        (lambda: make("linaer"), "linear"),
        (lambda: make("linear", widht=3), "width"),
        (lambda: make("beale", width=3), "there is none"),
        (lambda: make("tanh", kind="symetric"), "symmetric"),
        (lambda: pick("method", "unroled", METHODS), "unrolled"),
        (lambda: oracles.gradient(small("linear"), "itf"), "ift"),
    ],
)
def test_unknown_names(call: Any, nearest: str) -> None:
    with pytest.raises(LookupError) as caught:
        call()
    assert nearest in sentence(caught)


def test_a_name_like_none_of_them() -> None:
    with pytest.raises(LookupError, match="known: backprop, forward_gradient"):
        pick("method", "zzzzzz", METHODS)


def test_unknown_law(framework: str) -> None:
    build = module(framework, "gradients.forward_gradient").value_and_grad
    with pytest.raises(LookupError) as caught:
        build(loss(framework, "mlp", None), tangents="gausian")
    assert "gaussian" in sentence(caught)
    with pytest.raises(LookupError, match="linear"):
        module(framework, "models").loss("linaer")


@pytest.mark.parametrize("sizes", [{"width": 0}, {"width": 2.0}, {"gamma": 0}, {"gamma": 5.0}, {"gamma": float("nan")}])
def test_bad_sizes(sizes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(sizes))) as caught:
        make("linear", **sizes)
    sentence(caught)


@pytest.mark.parametrize("steps", [0, -1, 2.0, True, "3", None])
def test_bad_step_counts(framework: str, steps: Any) -> None:
    solvers, linear_solvers = module(framework, "solvers"), module(framework, "linear_solvers")
    linear = [linear_solvers.LINEAR_SOLVERS[name] for name in ("picard", "gmres", "normal_cg", "bicgstab", "anderson")]
    for kind in (*solvers.SOLVERS.values(), *linear):
        with pytest.raises(ValueError, match=f"{kind.__name__}: steps must be a whole number") as caught:
            kind(steps=steps)
        sentence(caught)
    if steps is not True:
        with pytest.raises(ValueError, match="count must be a whole number") as caught:
            module(framework, "gradients.forward_gradient").value_and_grad(None, count=steps)
        sentence(caught)


@pytest.mark.parametrize("tol", [-1.0, float("nan")])
def test_bad_tolerances(framework: str, tol: float) -> None:
    for kind in (module(framework, "solvers").Picard, module(framework, "linear_solvers").GMRES):
        with pytest.raises(ValueError, match="tol must be 0") as caught:
            kind(tol=tol)
        sentence(caught)


def test_what_unrolled_cannot_do(framework: str) -> None:
    with pytest.raises(ValueError, match="set tol=0, or use ift") as caught:
        run(framework, small("tanh"), "unrolled", tol=1e-6)
    sentence(caught)
    solvers, gmres = module(framework, "solvers"), module(framework, "linear_solvers").GMRES()
    z = array(framework, np.zeros((2, 3)))
    with pytest.raises(ValueError, match="GMRES inside Newton: give it linear_solver=Dense") as caught:
        module(framework, "adjoints.unrolled").fixed_point(
            lambda z, args: z, z, (), solver=solvers.Newton(linear_solver=gmres)
        )
    sentence(caught)


@pytest.mark.parametrize(("x", "w"), [((2, 3), (4, 5)), ((2, 3), (3,)), ((2, 3), (1, 3, 4))])
def test_matmul_shapes(framework: str, x: tuple[int, ...], w: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=re.escape(f"matmul: x of shape {x} does not fit w of shape {w}")) as caught:
        module(framework, "ops").matmul(array(framework, np.zeros(x)), array(framework, np.zeros(w)))
    sentence(caught)


@pytest.mark.parametrize(
    ("x", "w"),
    [
        ((2, 8, 8, 3), (3, 3, 2, 4)),
        ((2, 8, 8, 3), (2, 3, 3, 4)),
        ((2, 8, 8, 3), (3, 4, 3, 4)),
        ((8, 8, 3), (3, 3, 3, 4)),
        ((2, 8, 8, 3), (3, 3, 3)),
    ],
)
def test_convolution_shapes(framework: str, x: tuple[int, ...], w: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"conv2d: an image of shape") as caught:
        module(framework, "ops").conv2d(array(framework, np.zeros(x)), array(framework, np.zeros(w)))
    sentence(caught)


@pytest.mark.parametrize(("x", "size"), [((2, 8, 8), 2), ((2, 4, 3, 1), 4), ((2, 4, 4, 1), 0)])
def test_pooling_shapes(framework: str, x: tuple[int, ...], size: int) -> None:
    with pytest.raises(ValueError, match=re.escape(f"max_pool: a window of size {size} does not fit")) as caught:
        module(framework, "ops").max_pool(array(framework, np.zeros(x)), size)
    sentence(caught)


def test_an_image_that_cannot_be_halved_twice() -> None:
    with pytest.raises(ValueError, match=r"image must be divisible by 4.*not 10") as caught:
        make("cnn", image=10)
    sentence(caught)


def test_a_method_that_an_explicit_problem_has_not() -> None:
    with pytest.raises(LookupError, match="No method of an explicit problem 'ift'") as caught:
        oracles.gradient(small("mlp"), "ift")
    sentence(caught)


BAD_STATES = {
    "a tuple": lambda a: (a(np.ones((2, 3))), a(np.ones((2, 3)))),
    "a dict": lambda a: {"z": a(np.ones((2, 3)))},
    "a float": lambda a: 1.0,
    "None": lambda a: None,
    "an array of float64 of shape ()": lambda a: a(np.ones(())),
    "an array of float64 of shape (3,)": lambda a: a(np.ones(3)),
    "an array of float64 of shape (0, 3)": lambda a: a(np.ones((0, 3))),
    "an array of float64 of shape (2, 0)": lambda a: a(np.ones((2, 0))),
    "an array of int64 of shape (2, 3)": lambda a: a(np.ones((2, 3), "int64")),
    "an array of bool of shape (2, 3)": lambda a: a(np.ones((2, 3), "bool")),
    "an array of complex128 of shape (2, 3)": lambda a: a(np.ones((2, 3), "complex128")),
}


def takers(framework: str) -> dict[str, Any]:
    """Whatever takes a state or a right-hand side, by the name that it gives itself."""
    solvers, linear = (module(framework, name) for name in ("solvers", "linear_solvers"))
    adjoints = [module(framework, f"adjoints.{row.name}") for row in METHODS.values() if row.interface == "adjoint"]
    newton = solvers.Newton(steps=2)
    return {
        **{one.__name__: lambda z, one=one: one.fixed_point(lambda z, a: z, z, (), solver=newton) for one in adjoints},
        **{kind.__name__: lambda z, kind=kind: kind()(lambda z: z, z) for kind in solvers.SOLVERS.values()},
        **{
            f"linear {name}": lambda b, kind=kind: kind()(lambda v: v, b)
            for name, kind in linear.LINEAR_SOLVERS.items()
        },
    }


@pytest.mark.parametrize("words", BAD_STATES)
def test_what_is_no_state(words: str) -> None:
    """One sentence for all that take one, but for the name at its start, and the same in both frameworks."""
    said: dict[str, set[str]] = {}
    for framework in FRAMEWORKS:
        for name, call in takers(framework).items():
            with pytest.raises(ValueError, match=r"a state must be one floating array of shape \(b, \*n\)") as caught:
                call(BAD_STATES[words](lambda x, framework=framework: array(framework, x)))
            assert f", not {words};" in sentence(caught)
            said.setdefault(name.split(".")[-1], set()).add(sentence(caught))
    assert all(len(each) == 1 for each in said.values()) and len(said) == 14
    assert len({text.split(": ", 1)[1] for (text,) in said.values()}) == 1


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (lambda z: z[:, :2], "to (2, 2)"),
        (lambda z: z[0], "to (3,)"),
        (lambda z: z.sum(), "to ()"),
        (lambda z: (z, z), "to a tuple"),
        (lambda z: None, "to None"),
        (lambda z: 1.0, "to a float"),
        (lambda z: z > 0, "to an array of bool of shape (2, 3)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("K", [1, 3])
def test_what_step_makes_of_a_state(image: Any, words: str, K: int) -> None:
    said = set()
    for framework in FRAMEWORKS:
        z, solvers = array(framework, np.zeros((2, 3))), module(framework, "solvers")
        for method in ("unrolled", "ift", "jfb", "ift_reused"):
            for solver in ("newton",) if method == "ift_reused" else ("picard", "newton", "anderson"):
                if (method, solver) != ("unrolled", "anderson") and (method, K) != ("ift_reused", 1):
                    made = solvers.SOLVERS[solver](steps=K)
                    with pytest.raises(ValueError, match=r"step maps a state of shape \(2, 3\) to") as caught:
                        module(framework, f"adjoints.{method}").fixed_point(lambda z, _: image(z), z, (), solver=made)
                    said.add(sentence(caught))
    (text,) = said
    assert f"{words}; a fixed point needs the same shape and dtype" in text


def test_another_dtype_than_the_states(framework: str) -> None:
    z, wide = array(framework, np.ones((2, 3)), "float32"), array(framework, np.ones((2, 3)))
    for method in ("unrolled", "ift", "jfb"):
        with pytest.raises(ValueError, match=r"to an array of float64 of shape \(2, 3\); a fixed point") as caught:
            module(framework, f"adjoints.{method}").fixed_point(
                lambda z, a: 0.5 * z + a, z, wide, solver=module(framework, "solvers").Picard(steps=3)
            )
        sentence(caught)


def test_tangent_shapes(framework: str) -> None:
    problem = small("linear")
    wrong = {"A": np.zeros((2, 2)), "B": problem.params["B"]}
    with pytest.raises(ValueError, match=r"a tangent of shape \(2, 2\)") as caught:
        run(framework, problem, "forward_gradient", tangent=wrong)
    sentence(caught)


def singular(framework: str) -> Any:
    """z = z + 0·x: every point is a fixed point, and I − J is zero."""
    problem = make("linear", width=3, inputs=3, batch=2)
    problem.params["A"][:] = np.eye(3)
    problem.params["B"][:] = 0
    return solve(framework, problem, "ift", linear_solver="dense")


def test_a_singular_jacobian_raises_in_torch() -> None:
    with pytest.raises(torch.linalg.LinAlgError, match="I − J is singular at sample 0") as caught:
        singular("torch")
    sentence(caught)


def test_a_singular_jacobian_is_not_finite_in_jax() -> None:
    value, grads, _ = singular("jax")
    assert np.isfinite(float(value))
    with pytest.raises(FloatingPointError, match="I − J is singular"):
        module("jax", "training").require_finite(value, grads)


def test_a_loss_that_is_no_number(framework: str) -> None:
    problem = make("linear", width=3, inputs=3, batch=2)
    problem.batch["x"][:] = np.nan
    value, grads, found = solve(framework, problem, "jfb")
    assert not bool(found.converged)
    with pytest.raises(FloatingPointError, match="The loss is nan"):
        module(framework, "training").require_finite(value, grads)


def test_finite_numbers_pass(framework: str) -> None:
    value, grads, found = solve(framework, small("linear"), "jfb")
    module(framework, "training").require_finite(value, grads)
    assert bool(found.converged)


@pytest.mark.parametrize("applications", [0, 2, 4, True, "3", None])
def test_bad_applications(framework: str, applications: Any) -> None:
    with pytest.raises(ValueError, match="NormalCG: applications must be 1") as caught:
        module(framework, "linear_solvers").NormalCG(applications=applications)
    sentence(caught)


@pytest.mark.parametrize("linear_solver", ["picard", "gmres", "normal_cg", "bicgstab", "anderson"])
@pytest.mark.few(5)
def test_a_missed_backward_tolerance(framework: str, linear_solver: str) -> None:
    value, grads, _ = solve(framework, small("linear"), "ift", linear_solver=linear_solver, M=2, backward_tol=1e-10)
    assert np.isfinite(float(value))
    assert np.isnan(flat(grads)).all()
    with pytest.raises(FloatingPointError, match="missed its tolerance"):
        module(framework, "training").require_finite(value, grads)


def test_a_met_backward_tolerance(framework: str) -> None:
    exact = run(framework, small("linear"), "ift", linear_solver="dense")[1]
    found = run(framework, small("linear"), "ift", M=80, backward_tol=1e-13)[1]
    assert np.linalg.norm(found - exact) < 1e-12 * np.linalg.norm(exact)


@pytest.mark.parametrize(
    ("solver", "method"),
    [*((solver, method) for solver in ("picard", "newton") for method in ("ift", "jfb")), ("anderson", "jfb")],
)
@pytest.mark.few(3)
def test_forward_tolerances(method: str, solver: str) -> None:
    steps = []
    for framework in ("torch", "jax"):
        met = solve(framework, small("tanh"), method, K=60, solver=solver, tol=1e-8)[2]
        missed = solve(framework, small("tanh"), method, K=2, solver=solver, tol=1e-8)[2]
        fixed = solve(framework, small("tanh"), method, K=4, solver=solver)[2]
        assert bool(met.converged)
        assert float(met.residual) <= 1e-8
        assert 2 < float(met.steps) < 60
        assert not bool(missed.converged)
        assert float(missed.steps) == 2
        assert float(fixed.steps) == 4
        steps.append(float(met.steps))
        assert to_numpy(met.value).shape == small("tanh").batch["y"].shape
    assert steps[0] == steps[1]


def test_a_state_that_needs_no_gradient(framework: str) -> None:
    """A step without parameters still has its fixed point."""
    z = array(framework, np.ones((2, 3)))
    for method in ("unrolled", "ift", "jfb"):
        found = module(framework, f"adjoints.{method}").fixed_point(
            lambda z, args: z * args * 0.5 + 1,
            z,
            tree(framework, np.ones((2, 3))),
            solver=module(framework, "solvers").Picard(steps=60),
        )
        assert np.allclose(to_numpy(found.value), 2, rtol=1e-14, atol=0)
