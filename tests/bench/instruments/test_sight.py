"""An instrument that rests on names which a framework may drop says that they are gone and tells no byte."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import pytest
import torch

from bench.failures import Unavailable, failure, require_sight
from bench.instruments import jax_memory, torch_calls, torch_memory, torch_work

X = torch.ones(4, 4)


def jax_held() -> int:
    return jax_memory.held_bytes(lambda w, x: ((x * w).sum(), ()), jnp.ones(3), jnp.ones(3))


INSTRUMENTS: dict[str, tuple[Any, str, str, Callable[[], Any], Any]] = {
    "live bytes": (torch_memory, "_require_storages", "_live_bytes", lambda: torch_memory.live_bytes(lambda: X + 1), 0),
    "flops": (torch_calls, "_require_operations", "dispatched", lambda: torch_work.flops(lambda: X @ X), None),
    "traffic": (torch_calls, "_require_operations", "dispatched", lambda: torch_work.traffic(lambda: X @ X), None),
    "allocator": (
        torch_memory,
        "_require_allocations",
        "_peak_bytes",
        lambda: torch_memory.peak_bytes(lambda: X + 1),
        0,
    ),
    "jax's residuals": (jax_memory, "_require_residuals", "_held_bytes", jax_held, 0),
}
"""Of each: its module, its look at a known case, what measures, a call, and what a blind one finds."""


@pytest.mark.parametrize("name", INSTRUMENTS)
@pytest.mark.parametrize("gone", [True, False])
def test_an_instrument_that_is_blind_says_so(name: str, gone: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    module, look, measure, call, blind = INSTRUMENTS[name]

    def changed(*args: Any) -> Any:
        if gone:
            raise AttributeError("module has no attribute _private")
        return blind

    before = call()
    getattr(module, look).cache_clear()
    monkeypatch.setattr(module, measure, changed)
    for _ in range(2):  # and says so again
        with pytest.raises(
            Unavailable, match=r"^(torch|jax) \S+ shows .*: use the versions of constraints\.txt\.$"
        ) as told:
            call()
    assert ("_private" in str(told.value)) == gone
    assert failure(told.value)[0] == "n/a"
    monkeypatch.undo()
    assert call() == before


def test_an_error_of_another_kind_comes_through() -> None:
    def broken() -> int:
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        require_sight("torch", "bytes", broken, 1)
    require_sight("torch", "bytes", lambda: 5, 3, operator.ge)
