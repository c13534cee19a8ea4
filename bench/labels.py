"""Names of cells for people: the three parts that a comparison has in rows and columns, and a short name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

from bench.cell import Cell, Value

BARE = ("linear_solver", "tangents")
"""Options whose values say what they are without their names; no two of them share a value."""


@dataclass(frozen=True)
class Label:
    """What a cell is called: two cells with the same problem and method differ in the framework alone."""

    problem: str
    """With all sizes that the cell names: ``tanh(batch=8,width=16)``."""
    method: str
    """With all options that the cell names: ``ift(K=60,M=60,linear_solver=picard)``."""
    framework: str
    """``torch``; whatever is not usual follows: ``torch-compiled``, ``jax-float64``."""
    short: str
    """``tanh-ift(picard,M=60)-torch``: of sizes and options those alone that set cells of a preset apart."""


def label(cell: Cell, among: Iterable[Cell]) -> Label:
    """The names of ``cell``; what all cells ``among`` of its problem have in common is left out of the short one."""
    family = [_settings(one) for one in among if one.problem == cell.problem]
    common = reduce(set.intersection, family) if len(family) > 1 else set()
    through = "" if cell.gradient in ("backprop", cell.method) else f"{cell.gradient}×"
    framework = _framework(cell)
    sizes, options = (
        _short([(name, value) for kind, name, value in sorted(_settings(cell) - common, key=_order) if kind == wanted])
        for wanted in ("size", "option")
    )
    return Label(
        problem=f"{cell.problem}{cell.sizes}",
        method=f"{through}{cell.method}{cell.options}",
        framework=framework,
        short=f"{cell.problem}{sizes}-{through}{cell.method}{options}-{framework}",
    )


Setting = tuple[str, str, Value]


def _settings(cell: Cell) -> set[Setting]:
    """Sizes and options in one set, each with its kind."""
    return {("size", name, value) for name, value in cell.sizes.items()} | {
        ("option", name, value) for name, value in cell.options.items()
    }


def _order(setting: Setting) -> tuple[bool, str]:
    """Values without a name first, then by name."""
    return setting[1] not in BARE, setting[1]


def _short(settings: list[tuple[str, Value]]) -> str:
    """``(picard,M=60)``, or nothing where there is nothing to say."""
    words = [f"{value}" if name in BARE else f"{name}={value}" for name, value in settings]
    return f"({','.join(words)})" if words else ""


def _framework(cell: Cell) -> str:
    """The framework and all that is not usual in a cell of it."""
    usual = Cell(cell.framework, cell.problem, cell.method)
    unusual = [
        getattr(cell, name) for name in ("mode", "device", "dtype") if getattr(cell, name) != getattr(usual, name)
    ]
    return "-".join([cell.framework, *unusual] + ([f"seed={cell.seed}"] if cell.seed else []))
