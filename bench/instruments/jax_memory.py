"""Exact memory in jax: the compiler's buffer assignment for one compiled call.

temp + output − alias. The library fusions that hide their buffers from the CPU's assignment are switched off, as an
option of this one compilation: set in the environment the same flag makes matmuls eight times slower.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

FUSION_OPTION = "xla_cpu_experimental_ynn_fusion_type"


def assigned_bytes(fn: Callable[..., Any], *args: Any) -> int:
    """Bytes of temporaries and results that the compiler assigns to ``fn(*args)``, arguments left out."""
    import jax

    options = {FUSION_OPTION: ""} if jax.default_backend() == "cpu" else None
    plan = jax.jit(fn).lower(*args).compile(compiler_options=options).memory_analysis()
    return int(plan.temp_size_in_bytes + plan.output_size_in_bytes - plan.alias_size_in_bytes)
