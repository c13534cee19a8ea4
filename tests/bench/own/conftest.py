"""What all tests of ``gradratio.compare`` share."""

from __future__ import annotations

from collections.abc import Iterator

import jax
import pytest


@pytest.fixture(autouse=True, scope="module")
def _as_jax_starts() -> Iterator[None]:
    """float32 unless a test says otherwise, as in the process of a user: other tests switch this process over."""
    with jax.enable_x64(False):
        yield
