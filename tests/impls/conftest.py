"""float64 for jax, before it makes its first array."""

from __future__ import annotations

import jax
import pytest

from tests.impls.frameworks import FRAMEWORKS

jax.config.update("jax_enable_x64", True)


@pytest.fixture(params=FRAMEWORKS)
def framework(request: pytest.FixtureRequest) -> str:
    """Either framework's name."""
    return request.param
