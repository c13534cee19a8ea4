"""IFT with Newton's last factors: how far it is from IFT, what it costs beyond the forward, what it refuses."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest
import torch

from bench.instruments import counting, jax_work, torch_work
from impls import oracles
from impls.oracles.methods import states_of
from impls.problems import make
from tests.impls.frameworks import array, distance, flat, loss, module, small, tree
from tests.impls.test_errors import sentence


def test_its_error_against_ift_is_that_of_the_state_before() -> None:
    """‖g − g_ift‖ falls with ‖z_{K−1} − z_{K−2}‖, which Newton squares in each step."""
    problem = make("tanh", width=5, inputs=4, batch=3, gamma=0.9)
    model = oracles.MODELS["tanh"](problem)
    errors, moves = [], []
    for K in (3, 4, 5):
        dense = oracles.gradient(problem, "ift", K=K, solver="newton", linear_solver="dense")
        errors.append(distance(flat(oracles.gradient(problem, "ift_reused", K=K)), flat(dense)))
        before, last = states_of(model, K, "newton")[-2:]
        moves.append(distance(before, last))
    assert moves[0] > 100 * moves[2] > 0
    ratios = np.array(errors) / moves
    assert ratios.max() < 5 * ratios.min()


def test_its_backward_pass_makes_no_product_and_no_factors(framework: str) -> None:
    """Beyond jfb's flops: two triangular solves of every sample; less, in the last step: the residual that a dense
    solve multiplies out."""
    problem = small("tanh")
    arrays = tree(framework, problem.params), tree(framework, dict(problem.batch))
    count = {"torch": torch_work, "jax": jax_work}[framework].flops
    found = {}
    for method in ("jfb", "ift_reused"):
        fn = module(framework, "gradients.backprop").value_and_grad(loss(framework, "tanh", method, solver="newton"))
        arguments = (*arrays, None)
        found[method] = count(fn, *arguments) if framework == "jax" else count(lambda fn=fn, a=arguments: fn(*a))
    batch, n = problem.batch["y"].shape
    residual = 2 * batch * n * n
    assert found["ift_reused"] == found["jfb"] + counting.lu_solve(n, (batch, n, 1)) - residual


def test_what_it_refuses(framework: str) -> None:
    solvers, linear = module(framework, "solvers"), module(framework, "linear_solvers")
    fixed_point, z = module(framework, "adjoints.ift_reused").fixed_point, array(framework, np.zeros((2, 3)))
    for solver, words in (
        (solvers.Picard(), "Picard has none: set solver=Newton"),
        (solvers.Newton(linear_solver=linear.GMRES()), "Newton with GMRES makes none"),
        (solvers.Newton(steps=1), "set K from 2 up"),
    ):
        with pytest.raises(ValueError, match=words) as caught:
            fixed_point(lambda z, args: z, z, (), solver=solver)
        sentence(caught)


def test_a_singular_jacobian_raises_in_torch() -> None:
    z = torch.zeros(2, 3)
    with pytest.raises(torch.linalg.LinAlgError, match="I − J is singular at sample 0") as caught:
        module("torch", "adjoints.ift_reused").fixed_point(
            lambda z, args: z + 0 * args, z, z, solver=module("torch", "solvers").Newton(steps=2)
        )
    sentence(caught)


def test_a_second_derivative_is_refused(framework: str) -> None:
    problem = small("tanh")
    params, batch = tree(framework, problem.params), tree(framework, dict(problem.batch))
    bound = loss(framework, "tanh", "ift_reused", solver="newton", K=3)

    def second() -> Any:
        if framework == "torch":
            for leaf in params.values():
                leaf.requires_grad_()
            return torch.autograd.grad(bound(params, batch)[0], list(params.values()), create_graph=True)
        first = jax.grad(lambda params: bound(params, batch)[0])
        return jax.jvp(first, (params,), (params,))

    with pytest.raises(RuntimeError, match="ift_reused gives first derivatives only"):
        second()
