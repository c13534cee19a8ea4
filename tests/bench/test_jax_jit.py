"""What the framework of jitted jax says of its compilations."""

from __future__ import annotations

from pathlib import Path

import jax.numpy as jnp

from bench.frameworks.jax_jit import Framework
from tests.bench.gate.calibration.in_process import shared_compiled


def test_only_who_compiles_says_how_long_it_took(tmp_path: Path) -> None:
    """Of two processes that share a folder the second one loads, so that its seconds are none of compiling."""
    framework, x = Framework(), jnp.arange(3.0)
    with shared_compiled(tmp_path):
        found = [framework.gradient(lambda x: (x**2).sum() * 3.0, x) for _ in range(2)]
        found.append(framework.gradient(lambda x: (x**2).sum() * 5.0, x))
    found.append(framework.gradient(lambda x: (x**2).sum() * 3.0, x))
    assert [float(call()) for call, _ in found] == [15.0, 15.0, 25.0, 15.0]
    assert [seconds is not None and seconds > 0 for _, seconds in found] == [True, False, True, True]
