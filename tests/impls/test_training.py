"""A training step is θ − lr·g, whichever method gives g, and gradient descent along random tangents is as slow as
theory says."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest
import torch

from tests.impls.frameworks import array, distance, flat, gradient, jit, module, small, tangent, to_numpy, tree

SETTINGS = {
    "backprop": ("mlp", "backprop", False, "unrolled", ()),
    "forward gradient, tangent given": ("mlp", "forward_gradient", True, "unrolled", ()),
    "ift": ("tanh", "ift", False, "ift", (("K", 6), ("M", 6))),
}
"""Problem, method, whether a tangent is given, adjoint and options, as ``gradient`` takes them."""

LR = 0.3
N, COUNT, ALPHA, STEPS, CHAINS = 6, 2, 0.3, 2, 250


def step_of(framework: str, value_and_grad: Any) -> Any:
    return jit(framework, module(framework, "training").train_step(value_and_grad))


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_step_is_the_parameters_less_lr_times_the_gradient(setting: str) -> None:
    stepped = {}
    name, method, given, adjoint, options = SETTINGS[setting]
    problem = small(name)
    for framework in ("torch", "jax"):
        value_and_grad = gradient(framework, name, method, given, adjoint, options)
        params, batch = tree(framework, problem.params), tree(framework, dict(problem.batch))
        rng = tree(framework, tangent(problem)) if given else None
        value, grads, _ = jit(framework, value_and_grad)(params, batch, rng)
        found, after, _ = step_of(framework, value_and_grad)(params, batch, rng, LR)
        assert float(found) == pytest.approx(float(value), rel=1e-14)
        assert distance(flat(after), flat(problem.params) - LR * flat(grads)) < 1e-15
        assert np.array_equal(flat(params), flat(problem.params))  # the caller's own are left alone
        stepped[framework] = flat(after)
    assert distance(stepped["torch"], stepped["jax"]) < 1e-14


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_new_rate_needs_no_new_trace(framework: str, dtype: str) -> None:
    calls = []

    def value_and_grad(params: Any, batch: Any, rng: Any) -> Any:
        calls.append(1)
        return params.sum(), params, ()

    step = step_of(framework, value_and_grad)
    params = array(framework, np.arange(3.0), dtype)
    for rate in (0.5, 0.25, *(array(framework, np.array(one), "float64") for one in (0.5, 0.25))):
        after = step(params, {}, None, rate)[1]
        assert str(after.dtype).removeprefix("torch.") == dtype
        assert np.array_equal(flat(after), (1 - float(rate)) * np.arange(3.0))
    assert len(calls) == (4 if framework == "torch" else 2)  # jax: one for numbers, one for arrays
    with pytest.raises(ValueError, match=r"^train_step: lr must be one number, not an array of shape \(3,\)\.(\n|$)"):
        step(params, {}, None, params)


def test_torch_records_no_graph_of_a_step() -> None:
    step = step_of("torch", lambda params, batch, rng: (params.sum(), torch.ones_like(params), ()))
    params = torch.zeros(2, requires_grad=True)
    after = step(params, {}, None, 1.0)[1]
    assert not after.requires_grad and after.tolist() == [-1, -1] and params.tolist() == [0, 0]


def half_square(params: Any, batch: Any) -> Any:
    return 0.5 * (params**2).sum(), ()


def test_descent_on_half_a_square_is_as_slow_as_theory_says(framework: str) -> None:
    """E‖x_t‖² = ρᵗ‖x₀‖² with ρ = (1 − α)² + α²(n + 1)/k for k gaussian tangents."""
    build = module(framework, "gradients.forward_gradient").value_and_grad
    step = module(framework, "training").train_step(build(half_square, count=COUNT))
    start = array(framework, np.full(N, N**-0.5))
    if framework == "torch":
        rng, ends = torch.Generator().manual_seed(0), []
        for _ in range(CHAINS):
            x = start
            for _ in range(STEPS):
                x = step(x, {}, rng, ALPHA)[1]
            ends.append(to_numpy(x))
    else:

        def chain(key: Any) -> Any:
            descend = jax.lax.scan(
                lambda x, key: (step(x, {}, key, ALPHA)[1], None), start, jax.random.split(key, STEPS)
            )
            return descend[0]

        ends = to_numpy(jit("jax", jax.vmap(chain))(jax.random.split(jax.random.key(0), CHAINS)))
    squares = (np.asarray(ends) ** 2).sum(1)
    expected = ((1 - ALPHA) ** 2 + ALPHA**2 * (N + 1) / COUNT) ** STEPS
    band = 4 * squares.std() / np.sqrt(CHAINS)
    assert abs(squares.mean() - expected) < band < 0.2 * expected  # with n − 1 for n + 1 it would be off by 0.21
