"""Counted work is the work that theory gives, to the flop: every problem, method and framework, at several K and M.

Where a program does more than the fewest products, ``beyond`` says how much more, by formula, and why.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from bench import work
from impls import catalog, problems
from tests.bench.counting import counts
from tests.bench.hand_counts import beyond, fixed, forward_anderson, parts
from tests.impls.frameworks import small

FRAMEWORKS = ("torch", "jax")
EXPLICIT: Mapping[str, Mapping[str, Any]] = {
    "logistic": {"inputs": 4, "classes": 3, "batch": 5},
    "cnn": {"image": 8, "channels": 2, "hidden": 6, "batch": 3},
}
SIZES: Mapping[str, Mapping[str, Any]] = {
    "linear": {"width": 7, "inputs": 3, "batch": 5},
    "tanh": {"width": 7, "inputs": 3, "batch": 5},
    "newton": {"width": 7, "inputs": 3, "batch": 5},
    "fpn": {"channels": 2, "batch": 3},
}
IMPLICIT: tuple[tuple[str, Mapping[str, Any]], ...] = (
    *(("unrolled", {"K": steps}) for steps in (1, 2, 5)),
    *(("jfb", {"K": steps}) for steps in (1, 2, 5)),
    *(("ift", {"K": 3, "linear_solver": "picard", "M": terms}) for terms in (1, 2, 6)),
    ("ift", {"K": 5, "linear_solver": "picard", "M": 4}),
    *(("ift", {"K": 3, "linear_solver": "gmres", "M": terms}) for terms in (1, 2, 5)),
    ("ift", {"K": 5, "linear_solver": "gmres", "M": 9}),
    *(("ift", {"K": 3, "linear_solver": "normal_cg", "M": terms}) for terms in (1, 3)),
    *(("ift", {"K": 3, "linear_solver": "normal_cg_published", "M": terms}) for terms in (1, 3)),
    *(("ift", {"K": 3, "linear_solver": "bicgstab", "M": terms}) for terms in (1, 3)),
    *(("ift", {"K": 3, "linear_solver": "anderson", "M": terms}) for terms in (1, 4)),
    *(("jfb", {"K": steps, "solver": "anderson"}) for steps in (2, 5)),
    *(
        (name, {"K": steps})
        for name, row in catalog.METHODS.items()
        if row.interface == "adjoint" and row.flops and name not in ("unrolled", "jfb", "ift")
        for steps in (2, 5)
    ),
)
"""GMRES with M = 9 has more terms than the seven entries of a small state. The last are those of any adjoint that the
catalogue gains."""


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("method", ["backprop", "forward_gradient"])
@pytest.mark.parametrize("depth", [1, 2, 5])
def test_explicit_methods_do_the_work_of_theory(framework: str, method: str, depth: int) -> None:
    problem = problems.make("mlp", depth=depth, width=6, batch=5, inputs=4, classes=3)
    check(framework, problem, method, {}, method)


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("method", ["backprop", "forward_gradient"])
@pytest.mark.parametrize("name", EXPLICIT)
def test_other_explicit_problems_do_the_work_of_theory(framework: str, method: str, name: str) -> None:
    check(framework, problems.make(name, **EXPLICIT[name]), method, {}, method)


def test_the_ratios_of_the_papers_nets() -> None:
    """A single layer has its weight's product alone; in a deep net the first layer's other product is little."""
    found = {name: problems.make(name, seed=None) for name in ("logistic", "cnn")}
    assert work.flop_ratio(found["logistic"], "backprop", {}) == 2
    first, rest, _ = parts(found["cnn"])
    ratio = work.flop_ratio(found["cnn"], "backprop", {})
    assert ratio == pytest.approx(3 - first / (first + rest), rel=1e-15)


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("method, options", IMPLICIT, ids=lambda value: value if isinstance(value, str) else str(value))
@pytest.mark.parametrize("name", SIZES)
@pytest.mark.few(60)
def test_implicit_methods_do_the_work_of_theory(
    framework: str, name: str, method: str, options: Mapping[str, Any]
) -> None:
    check(framework, problems.make(name, **SIZES[name]), method, options, "backprop")


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize(
    "method, options",
    [
        ("unrolled", {"K": 4}),
        ("jfb", {"K": 4}),
        ("ift", {"K": 3, "linear_solver": "picard", "M": 5}),
        ("ift", {"K": 3, "linear_solver": "gmres", "M": 4}),
        ("ift", {"K": 3, "linear_solver": "normal_cg", "M": 4}),
        ("ift", {"K": 3, "linear_solver": "normal_cg_published", "M": 4}),
        ("ift", {"K": 3, "linear_solver": "bicgstab", "M": 3}),
        ("ift", {"K": 3, "linear_solver": "anderson", "M": 5}),
        ("jfb", {"K": 4, "solver": "anderson"}),
    ],
)
@pytest.mark.parametrize("name", ["linear", "tanh", "fpn"])
@pytest.mark.few(20)
def test_forward_mode_through_an_adjoint_takes_as_many_products(
    framework: str, name: str, method: str, options: Mapping[str, Any]
) -> None:
    check(framework, problems.make(name, **SIZES[name]), method, options, "forward_gradient")


def check(framework: str, problem: problems.Problem, method: str, options: Mapping[str, Any], gradient: str) -> None:
    first, rest, step = parts(problem)
    forward, counted = (
        flops - forward_anderson(framework, problem, options)
        for flops in counts(framework, problem, method, options, gradient)
    )
    assert forward == first + rest + fixed(problem) + options.get("K", 0) * step
    ratio = work.flop_ratio(problem, method, options)
    assert (counted - beyond(framework, problem, method, options, gradient)) / forward == ratio


@pytest.mark.parametrize(
    "method, options", [("unrolled", {"K": 4}), ("jfb", {"K": 4}), *(IMPLICIT[i] for i in (9, 13, 17, 19, 21, 23))]
)
@pytest.mark.parametrize("name", SIZES)
@pytest.mark.few(12)
def test_shapes_alone_give_the_same_count(name: str, method: str, options: Mapping[str, Any]) -> None:
    problem = problems.make(name, **SIZES[name])
    on_meta = counts("torch", problem, method, options, "backprop", device="meta")
    assert on_meta == counts("torch", problem, method, options, "backprop")


def test_every_further_tangent_takes_its_own_products_and_shares_the_forward() -> None:
    problem = problems.make("mlp", depth=3, width=6, batch=5, inputs=4, classes=3)
    one, three = (work.flop_ratio(problem, "forward_gradient", {"count": count}) for count in (1, 3))
    assert one is not None
    assert three == pytest.approx(1 + 3 * (one - 1), rel=1e-15)
    # The programs run the forward again for each tangent.
    forward, counted = counts("jax", problem, "forward_gradient", {"count": 3}, "forward_gradient")
    assert counted / forward == pytest.approx(3 * one, rel=1e-15)


def test_no_ratio_where_none_is_derived() -> None:
    problem = problems.make("newton", **SIZES["newton"])
    assert work.flop_ratio(problem, "unrolled", {"K": 4, "solver": "newton"}) is None
    assert work.flop_ratio(problem, "ift", {"K": 4, "solver": "picard", "linear_solver": "dense"}) is None
    assert work.flop_ratio(problem, "jfb", {"K": 4, "solver": "picard"}) is not None
    assert work.flop_ratio(problems.make("beale"), "backprop", {}) is None
    unknown = problems.Problem("later", {}, problem.params, problem.batch)
    assert work.flop_ratio(unknown, "jfb", {"K": 4, "solver": "picard"}) is None


@pytest.mark.parametrize("name", problems.PROBLEMS)
def test_the_products_of_a_row_are_those_of_its_forward(name: str) -> None:
    """Of a problem that is new too, whose sum by hand is not in ``parts`` above yet."""
    problem, explicit = small(name), problems.KIND[name] == "explicit"
    method, options = ("backprop", {}) if explicit else ("jfb", {"K": 3})
    forward, counted = counts("torch", problem, method, options, "backprop")
    stated = work.parts(problem)
    assert forward == stated["first"] + stated["rest"] + stated["fixed"] + options.get("K", 0) * stated["step"]
    ratio = work.flop_ratio(problem, method, options)
    assert counted == 0 if ratio is None else counted / forward >= ratio


def test_every_problem_has_its_parts_and_every_method_a_ratio() -> None:
    assert {name for name, row in problems.FACTS.items() if not row.products} == {"beale", "rosenbrock"}
    for row in problems.FACTS.values():
        assert (row.kind == "implicit") == any(product.part == "step" for product in row.products)
    every = {method for method, _ in IMPLICIT} | {"backprop", "forward_gradient"}
    assert every == {name for name, row in catalog.METHODS.items() if row.flops}
