"""What an older ``impls`` lacks: cells of it are n/a there, which is no failure; facts of problems are stated here."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Container, Mapping
from typing import Any, NamedTuple

from bench.failures import NotApplicable


def module(name: str) -> Any:
    """A module of ``impls``; ``NotApplicable`` where this ``impls`` has no such file."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if not f"{name}.".startswith(f"{error.name}."):
            raise  # the file is there, and lacks something else
        raise NotApplicable(f"This impls has no {error.name}.") from None


def require(kind: str, name: str, known: Container[str]) -> None:
    """Raise ``NotApplicable`` where this ``impls`` knows no problem or method of this name."""
    if name not in known:
        raise NotApplicable(f"This impls has no {kind} {name!r}.")


def solvers(row: Any) -> tuple[str, ...]:
    """The forward solvers that fit a method, by its row; where rows did not say so, all that there were did."""
    return tuple(getattr(row, "solvers", ("picard", "newton")))


class Product(NamedTuple):
    """As ``impls.problems.Product``."""

    weight: str
    part: str
    side: Callable[[int], int] = lambda size: size
    squared: bool = False
    times: int = 1


class Facts(NamedTuple):
    """What bench reads of a row of ``impls.problems.FACTS``."""

    products: tuple[Product, ...] = ()
    kinked: bool = False
    solver: str = "picard"


def facts(problem: str) -> Any:
    """The row of a problem; one without products, kinks and a solver of its own where nothing is known of it."""
    from impls import problems

    return getattr(problems, "FACTS", FACTS).get(problem, Facts())


def _halved(size: int) -> int:
    return size // 2


def _pooled(size: int) -> int:
    return size // (size // 8)


_NET = (Product("0/W", "first"), Product("*/W", "rest"))
_DENSE = (Product("U", "first"), Product("W", "step"))
_KERNELS = (Product("1/W", "rest"), Product("2/W", "rest", _halved), Product("3/W", "rest", _halved))
_IMAGES = (Product("Q*", "rest", _pooled), Product("S", "rest"), Product("R", "step", _pooled))
_SKIPPED = (Product("B", "first"), Product("D", "first"), Product("C", "rest"), Product("A", "step"))
_MONOTONE = (
    *(Product("U", "first"), Product("A", "first", squared=True), Product("S", "rest"), Product("A", "step")),
    Product("A", "fixed", squared=True, times=3),
)

FACTS: Mapping[str, Facts] = {
    "mlp": Facts(_NET, kinked=True),
    "logistic": Facts(_NET),
    "cnn": Facts((Product("0/W", "first"), *_KERNELS, Product("*/W", "rest")), kinked=True),
    "linear": Facts((Product("B", "first"), Product("A", "step"))),
    "tanh": Facts(_DENSE),
    "newton": Facts(_DENSE, solver="newton"),
    "fpn": Facts((Product("Q1", "first"), *_IMAGES)),
    "elghaoui": Facts(_SKIPPED, kinked=True),
    "mon": Facts(_MONOTONE, kinked=True),
    "averaged": Facts(_DENSE),
}
"""Those of the problems that there were before ``impls`` stated any; a new problem states its own."""
