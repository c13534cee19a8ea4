"""What the framework of jitted jax says of its compilations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax.monitoring
import jax.numpy as jnp
import pytest

from bench.frameworks import jax_jit
from bench.frameworks.jax_jit import Framework
from tests.bench.gate.calibration.in_process import shared_compiled


def gradient(factor: float) -> tuple[Callable[[], Any], float | None]:
    return Framework().gradient(lambda x: (x**2).sum() * factor, jnp.arange(3.0))


def test_who_loads_a_program_does_not_say_how_long_compiling_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    real = jax_jit._compiled

    def loaded(*args: Any) -> Any:
        jax.monitoring.record_event("/jax/compilation_cache/cache_hits")
        return real(*args)

    assert (gradient(2.0)[1] or 0.0) > 0
    monkeypatch.setattr(jax_jit, "_compiled", loaded)
    call, seconds = gradient(2.0)
    assert float(call()) == 10.0 and seconds is None


def test_of_two_that_share_a_folder_the_second_loads(tmp_path: Path) -> None:
    with shared_compiled(tmp_path):
        found = [gradient(3.0), gradient(3.0), gradient(5.0)]
    found.append(gradient(3.0))
    assert [float(call()) for call, _ in found] == [15.0, 15.0, 25.0, 15.0]
    first, second, other, apart = ((seconds or 0.0) > 0 for _, seconds in found)
    assert first and other and apart
    if second:
        pytest.skip("jax refuses on this processor to load what it has compiled, so that each process compiles.")
