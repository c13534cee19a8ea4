"""Counted work is the work that theory gives, for the further networks and for larger images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from impls import problems
from tests.bench.test_work import FRAMEWORKS, check

DENSE = {"width": 7, "inputs": 3, "batch": 5}
NETWORKS: Mapping[str, Mapping[str, Any]] = {
    "elghaoui": {**DENSE, "classes": 4},
    "mon": {**DENSE, "classes": 4},
    "averaged": DENSE,
}
SETTINGS = (
    ("unrolled", {"K": 3}),
    ("jfb", {"K": 2}),
    ("ift", {"K": 3, "linear_solver": "picard", "M": 4}),
    ("ift", {"K": 2, "linear_solver": "gmres", "M": 9}),
)
"""M = 9 is more than the seven entries of a state."""


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("method, options", SETTINGS, ids=[method for method, _ in SETTINGS])
@pytest.mark.parametrize("name", NETWORKS)
def test_networks(framework: str, name: str, method: str, options: Mapping[str, Any]) -> None:
    problem = problems.make(name, **NETWORKS[name])
    check(framework, problem, method, options, "backprop")
    if options.get("linear_solver") != "gmres":
        check(framework, problem, method, options, "forward_gradient")


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("method, options", SETTINGS[:3], ids=[method for method, _ in SETTINGS[:3]])
@pytest.mark.parametrize("encoder", [1, 3])
def test_fpn_on_mnist(framework: str, encoder: int, method: str, options: Mapping[str, Any]) -> None:
    problem = problems.make("fpn", image=28, encoder=encoder, channels=2, batch=2)
    check(framework, problem, method, options, "backprop")
