"""Bytes of a training step whose tangents are drawn again from their seed, in either framework."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

RATE = 1e-3
"""Any: bytes do not depend on it."""


def update_bytes(framework: str, device: str, dtype: str, sizes: Mapping[str, int]) -> int:
    """Bytes newly allocated at the peak of one update in place of the net ``mlp`` with these sizes."""
    from bench.instruments.jax_memory import assigned_bytes
    from bench.instruments.torch_memory import live_bytes
    from bench.job import nest_map
    from impls import problems

    mode = {"torch": "torch_eager", "jax": "jax_jit"}[framework]
    place: Any = importlib.import_module(f"bench.frameworks.{mode}").Framework(device)
    replayed: Any = importlib.import_module(f"impls.{framework}.replayed")
    problem = problems.make("mlp", **sizes)
    params, batch = (nest_map(lambda a: place.array(a, dtype), tree) for tree in (problem.params, problem.batch))
    rng = place.rng(0)
    if framework == "torch":
        return live_bytes(lambda: replayed.update(params, batch, rng, RATE)).peak
    return assigned_bytes(lambda p, b, r: replayed.update(p, b, r, RATE), params, batch, rng, donate=(0,))
