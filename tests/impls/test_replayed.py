"""Tangents that are drawn again from their seed: the update of forward_gradient, to rounding."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from impls import problems
from tests.impls.frameworks import FRAMEWORKS, jit

RATE = 0.05


def arrays(framework: str, value: np.ndarray) -> Any:
    if framework == "torch":
        return import_module("torch").tensor(value)
    return import_module("jax.numpy").asarray(value)


def updated(framework: str) -> tuple[tuple[float, np.ndarray], tuple[float, np.ndarray], np.ndarray]:
    """Loss and parameters after one step, replayed and with stored tangents, and the parameters before."""
    module = import_module
    ops, replayed = module(f"impls.{framework}.ops"), module(f"impls.{framework}.replayed")
    problem = problems.make("mlp", depth=2, width=6, inputs=5, classes=4, batch=3)
    before = ops.tree_map(partial(arrays, framework), problem.params)
    batch = {name: arrays(framework, value) for name, value in problem.batch.items()}

    def rng() -> Any:
        return module("torch").Generator().manual_seed(3) if framework == "torch" else module("jax").random.key(3)

    def flat(tree: Any) -> np.ndarray:
        return np.concatenate([np.asarray(leaf).ravel() for leaf in ops.leaves(tree)])

    loss = module(f"impls.{framework}.models").loss("mlp")
    method = module(f"impls.{framework}.gradients.forward_gradient").value_and_grad(loss, tangents="gaussian")
    value, grads, _ = jit(framework, method)(before, batch, rng())
    stored = ops.tree_map(lambda p, g: p - RATE * g, before, grads)
    old = flat(before).copy()
    again, new = jit(framework, replayed.update)(before, batch, rng(), RATE)
    return (float(again), flat(new)), (float(value), flat(stored)), old


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_update_is_that_of_stored_tangents(framework: str) -> None:
    (again, new), (value, stored), before = updated(framework)
    assert again == pytest.approx(value, rel=1e-13)
    assert np.linalg.norm(new - before) > 1e-3 * np.linalg.norm(before)
    np.testing.assert_allclose(new, stored, rtol=1e-12, atol=1e-13)


def test_torch_leaves_its_generator_where_one_draw_does() -> None:
    torch, replayed = import_module("torch"), import_module("impls.torch.replayed")
    problem = problems.make("mlp", depth=2, width=6, inputs=5, classes=4, batch=3)
    params = [{name: torch.tensor(value) for name, value in layer.items()} for layer in problem.params]
    batch = {name: torch.tensor(value) for name, value in problem.batch.items()}
    rng, once = (torch.Generator().manual_seed(3) for _ in range(2))
    import_module("impls.torch.tangents").gaussian(once, params)
    replayed.update(params, batch, rng, RATE)
    assert torch.equal(rng.get_state(), once.get_state())
