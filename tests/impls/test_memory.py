"""Nothing of a gradient call outlives it."""

from __future__ import annotations

import gc

import pytest
import torch

from tests.impls.frameworks import run, small


def alive() -> int:
    gc.collect()
    return sum(issubclass(type(thing), torch.Tensor) for thing in gc.get_objects())


@pytest.mark.parametrize("method", ["ift", "jfb", "unrolled"])
@pytest.mark.parametrize("solver", ["picard", "newton"])
def test_calls_leave_no_tensor_behind(method: str, solver: str) -> None:
    run("torch", small("tanh"), method, K=3, solver=solver)
    after_one = alive()
    for _ in range(29):
        run("torch", small("tanh"), method, K=3, solver=solver)
    assert alive() == after_one
