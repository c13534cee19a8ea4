"""No hidden graph: what each method's bytes may grow with, exact to the byte, by the suite's own instruments."""

from __future__ import annotations

import importlib
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from bench.instruments.jax_memory import assigned_bytes
from bench.instruments.torch_memory import live_bytes
from impls import problems

WIDTH, BATCH = 16, 512
ACTIVATION = WIDTH * BATCH * 4
"""Bytes of one layer's or step's float32 activation, much more than its 16 × 16 weight."""

DEPTHS = (4, 6, 8)
STEPS = (5, 10, 20)
FRAMEWORKS = ("torch", "jax")


def array(framework: str, value: Any) -> Any:
    value = np.asarray(value)
    value = value.astype(np.float32 if np.issubdtype(value.dtype, np.floating) else np.int64)
    if framework == "torch":
        return importlib.import_module("torch").tensor(value)
    return importlib.import_module("jax.numpy").asarray(value.astype(np.int32) if value.dtype == np.int64 else value)


def peak(framework: str, method: str, problem: problems.Problem, **bound: Any) -> int:
    """Peak bytes of one gradient call."""
    module = importlib.import_module
    ops = module(f"impls.{framework}.ops")
    params = ops.tree_map(partial(array, framework), problem.params)
    batch = {name: array(framework, value) for name, value in problem.batch.items()}
    fixed_point = None
    if bound:
        solvers, linear = module(f"impls.{framework}.solvers"), module(f"impls.{framework}.linear_solvers")
        options = {"solver": solvers.Picard(bound["K"])}
        if "linear_solver" in bound:
            options["linear_solver"] = linear.LINEAR_SOLVERS[bound["linear_solver"]](5)
        fixed_point = partial(module(f"impls.{framework}.adjoints.{method}").fixed_point, **options)
        method = "backprop"
    loss = module(f"impls.{framework}.models").loss(problem.name, fixed_point)
    options = {"tangents": "given"} if method == "forward_gradient" else {}
    fn = module(f"impls.{framework}.gradients.{method}").value_and_grad(loss, **options)
    rng = ops.tree_map(lambda p: p * 0 + 1, params) if options else None
    if framework == "torch":
        return live_bytes(lambda: fn(params, batch, rng)).peak
    return assigned_bytes(fn, params, batch, rng)


def net(depth: int) -> problems.Problem:
    return problems.make("mlp", depth=depth, width=WIDTH, inputs=WIDTH, classes=WIDTH, batch=BATCH)


def layer() -> problems.Problem:
    return problems.make("tanh", width=WIDTH, inputs=WIDTH, batch=BATCH)


def slopes(xs: tuple[int, ...], ys: list[int]) -> set[float]:
    return {
        (after - before) / (right - left)
        for (left, right), (before, after) in zip(pairwise(xs), pairwise(ys), strict=True)
    }


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_forward_gradient_does_not_grow_with_depth(framework: str) -> None:
    weights = (WIDTH * WIDTH + WIDTH) * 4
    found = slopes(DEPTHS, [peak(framework, "forward_gradient", net(depth)) for depth in DEPTHS])
    # Nothing while activations are at the peak, else one layer of the result; never an activation. XLA's results come
    # with a table of one 8-byte pointer an array, and a layer has two arrays.
    pointers = 16 if framework == "jax" else 0
    assert found <= {0.0, float(weights + pointers)}


def test_backprop_keeps_one_activation_a_layer_in_torch() -> None:
    assert slopes(DEPTHS, [peak("torch", "backprop", net(depth)) for depth in DEPTHS]) == {float(ACTIVATION)}


def test_backprop_grows_with_depth_in_jax() -> None:
    (slope,) = slopes(DEPTHS, [peak("jax", "backprop", net(depth)) for depth in DEPTHS])
    assert slope >= ACTIVATION


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize(
    "method, linear_solver", [("jfb", {}), ("ift", {"linear_solver": "picard"}), ("ift", {"linear_solver": "gmres"})]
)
@pytest.mark.few(3)
def test_implicit_methods_do_not_grow_with_steps(framework: str, method: str, linear_solver: dict[str, str]) -> None:
    assert len({peak(framework, method, layer(), K=steps, **linear_solver) for steps in STEPS}) == 1


def test_unrolled_keeps_one_activation_a_step_in_torch() -> None:
    assert slopes(STEPS, [peak("torch", "unrolled", layer(), K=steps) for steps in STEPS]) == {float(ACTIVATION)}


def test_unrolled_grows_by_whole_activations_a_step_in_jax() -> None:
    (slope,) = slopes(STEPS, [peak("jax", "unrolled", layer(), K=steps) for steps in STEPS])
    assert slope >= ACTIVATION
    assert slope % ACTIVATION == 0


def test_live_bytes_counts_new_storage_once() -> None:
    torch = importlib.import_module("torch")
    x = torch.ones(1000)

    def call() -> Any:
        y = x + 1
        return y.view(10, 100).t(), y.add_(1)

    assert live_bytes(call).peak == live_bytes(call).held == 4000
    assert live_bytes(lambda: x.view(10, 100)).peak == 0


def test_live_bytes_counts_what_a_sparse_tensor_stores() -> None:
    """The gradient of two rows of a table: 2·4 floats and 2 numbers of rows, in place of 100·4 floats."""
    import torch

    table, at = torch.zeros(100, 4, requires_grad=True), torch.tensor([3, 7])
    scale = torch.ones(2, 4)

    def call() -> Any:
        (found,) = torch.autograd.grad(torch.nn.functional.embedding(at, table, sparse=True), table, scale)
        return found

    assert call().is_sparse
    assert live_bytes(call).held == 0  # its values and rows are arrays that were there before
    doubled = call() * 2.0
    assert (
        live_bytes(lambda: call() * 2.0).held == doubled._values().nbytes + doubled._indices().nbytes == 2 * 16 + 2 * 8
    )
