"""Which cells there are: the presets, as plain lists of cells."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from bench.cell import MEASURES, MODES, Cell, Settings, Value

__all__ = ["MODES", "PRESETS", "Cell", "Preset", "Settings", "Value", "cells", "nearest", "unique"]


@dataclass(frozen=True)
class Preset:
    """A named list of cells and the number of worker processes that visit each time cell."""

    cells: tuple[Cell, ...]
    workers: int


def unique(cells: Iterable[Cell]) -> tuple[Cell, ...]:
    """Each cell once, in order of first appearance, with the measures of all its appearances."""
    found: dict[str, Cell] = {}
    for cell in cells:
        first = found.setdefault(cell.id, cell)
        found[cell.id] = replace(first, measures=first.measures + cell.measures)
    return tuple(found.values())


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of an error sentence: the names that were probably meant, else all there are."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    return f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(names)}."


def cells(preset: str) -> tuple[Cell, ...]:
    """The cells of a preset; ``ValueError`` names the nearest preset when there is none of this name."""
    if preset not in PRESETS:
        raise ValueError(f"No preset {preset!r}: {nearest(preset, PRESETS)}")
    return PRESETS[preset].cells


Method = tuple[str, Mapping[str, Value]]

GAUSSIAN: Method = ("forward_gradient", {"tangents": "gaussian"})
GIVEN: Method = ("forward_gradient", {"tangents": "given"})
BACKPROP: Method = ("backprop", {})


def _explicit(
    problem: str, sizes: Mapping[str, Value], *methods: Method, measures: tuple[str, ...] = MEASURES
) -> list[Cell]:
    """Gradient methods on an explicit problem, in every framework."""
    return [
        Cell(framework, problem, method, sizes, options, gradient=method, measures=measures)
        for framework in MODES
        for method, options in methods
    ]


def _implicit(
    problem: str,
    sizes: Mapping[str, Value],
    forward: Mapping[str, Value],
    *methods: Method,
    measures: tuple[str, ...] = MEASURES,
) -> list[Cell]:
    """Backprop through adjoint methods on an implicit problem; ``forward`` holds the options they share."""
    return [
        Cell(framework, problem, method, sizes, {**forward, **options}, measures=measures)
        for framework in MODES
        for method, options in methods
    ]


def _ift(linear_solver: str, steps: int | None = None) -> Method:
    """The implicit function theorem with one linear solver; a direct one takes no number of steps."""
    return "ift", {"linear_solver": linear_solver} | ({} if steps is None else {"M": steps})


UNROLLED: Method = ("unrolled", {})
JFB: Method = ("jfb", {})
EXACT = ("exact",)


def _quick() -> tuple[Cell, ...]:
    found = _explicit(
        "mlp",
        {"depth": 3, "width": 1024, "batch": 64, "inputs": 784, "classes": 10},
        BACKPROP,
        GAUSSIAN,
        GIVEN,
    )
    tanh = {"gamma": 0.8, "width": 512, "batch": 64}
    found += _implicit("tanh", tanh, {"K": 60}, UNROLLED, _ift("picard", 60), _ift("gmres", 20), JFB)
    newton = (UNROLLED, _ift("picard", 60), _ift("gmres", 20), _ift("dense"), JFB)
    found += _implicit("newton", {"width": 64, "batch": 64}, {"solver": "newton", "K": 6}, *newton)
    fpn = {"channels": 16, "batch": 64, "gamma": 0.8}
    found += _implicit("fpn", fpn, {"K": 30}, UNROLLED, _ift("picard", 30), _ift("gmres", 15), JFB)
    for depth in (2, 4, 8, 16, 32):
        square = {"depth": depth, "width": 128, "batch": 1024, "inputs": 128, "classes": 128}
        found += _explicit("mlp", square, BACKPROP, GIVEN, measures=EXACT)
    for steps in (5, 10, 20, 40, 80):
        tanh = {"gamma": 0.8, "width": 128, "batch": 256}
        four = (UNROLLED, _ift("picard", 20), _ift("gmres", 10), JFB)
        found += _implicit("tanh", tanh, {"K": steps}, *four, measures=EXACT)
    return unique(found)


def _smoke() -> tuple[Cell, ...]:
    found = _explicit("mlp", {"depth": 2, "width": 32, "batch": 8}, BACKPROP, GAUSSIAN, GIVEN)
    four = (UNROLLED, _ift("picard", 10), _ift("gmres", 5), JFB)
    found += _implicit("tanh", {"width": 16, "batch": 8}, {"K": 10}, *four)
    found += _implicit("fpn", {"channels": 4, "batch": 8}, {"K": 8}, UNROLLED, _ift("picard", 8), JFB)
    found += _implicit("newton", {"width": 8, "batch": 8}, {"solver": "newton", "K": 5}, UNROLLED, _ift("dense"))
    for depth in (2, 4, 8):
        found += _explicit("mlp", {"depth": depth, "width": 32, "batch": 8}, BACKPROP, GIVEN, measures=EXACT)
    for steps in (5, 10, 20):
        found += _implicit("tanh", {"width": 16, "batch": 8}, {"K": steps}, *four, measures=EXACT)
    return unique(found)


PRESETS = {"smoke": Preset(_smoke(), workers=2), "quick": Preset(_quick(), workers=8)}
