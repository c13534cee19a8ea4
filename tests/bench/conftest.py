"""A stand-in for the facts that ``bench`` reads from ``impls``, and a place to measure in."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from tests.bench.harness import Bench

METHODS = {
    "backprop": SimpleNamespace(name="backprop", interface="gradient", options=()),
    "forward_gradient": SimpleNamespace(name="forward_gradient", interface="gradient", options=("tangents", "count")),
    "unrolled": SimpleNamespace(name="unrolled", interface="adjoint", options=("K", "solver")),
    "ift": SimpleNamespace(name="ift", interface="adjoint", options=("K", "solver", "linear_solver", "M")),
    "jfb": SimpleNamespace(name="jfb", interface="adjoint", options=("K", "solver")),
}
CHOICES = {
    "solver": ("picard", "newton"),
    "linear_solver": ("picard", "gmres", "dense"),
    "tangents": ("gaussian", "sphere"),
}
KIND = {"mlp": "explicit", "linear": "implicit", "tanh": "implicit"}


def mlp(*, depth: int = 3, width: int = 64, batch: int = 8, seed: int = 0) -> None:
    """An explicit problem."""


def linear(*, width: int = 16, gamma: float = 0.5) -> None:
    """An implicit problem."""


def tanh(*, width: int = 16, gamma: float = 0.8, batch: int = 8) -> None:
    """Another implicit problem."""


@pytest.fixture
def facts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make ``impls`` a stand-in with five methods and three problems."""
    package, catalog, problems = (
        ModuleType("impls"),
        ModuleType("impls.catalog"),
        ModuleType("impls.problems"),
    )
    package.__path__ = []
    catalog.METHODS = METHODS  # type: ignore[attr-defined]
    catalog.CHOICES = CHOICES  # type: ignore[attr-defined]
    problems.PROBLEMS = {"mlp": mlp, "linear": linear, "tanh": tanh}  # type: ignore[attr-defined]
    problems.KIND = KIND  # type: ignore[attr-defined]
    for module in (package, catalog, problems):
        monkeypatch.setitem(sys.modules, module.__name__, module)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A place to measure in, whose workers do well until told otherwise."""
    found = Bench(tmp_path, monkeypatch)
    found.orders()
    return found
