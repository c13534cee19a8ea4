"""Names and colours of methods, markers and lines of frameworks: the same in every figure and table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import seaborn as sns

from reports.numbers import shorten

_PALETTE = sns.color_palette("colorblind").as_hex()

COLOURS = {
    "backprop": _PALETTE[0],
    "forward gradient": _PALETTE[1],
    "forward gradient, tangents given": _PALETTE[5],
    "forward gradient, factored tangents": "#7a0b2e",
    "unrolled": _PALETTE[3],
    "IFT, Picard": _PALETTE[2],
    "IFT, GMRES": _PALETTE[9],
    "IFT, normal CG": _PALETTE[8],
    "IFT, normal CG as published": _PALETTE[6],
    "IFT, BiCGStab": "#1f5f5b",
    "IFT, Anderson": "#8a5a00",
    "IFT, dense": _PALETTE[7],
    "IFT, Newton's factors": "#5b2a86",
    "JFB": _PALETTE[4],
}
"""Colour of each method, in the order in which methods are listed."""

OTHER = "#444444"

FORWARD = {
    "gaussian": "forward gradient",
    "given": "forward gradient, tangents given",
    "factored": "forward gradient, factored tangents",
}

SOLVERS = {
    "picard": "Picard",
    "gmres": "GMRES",
    "normal_cg": "normal CG",
    "normal_cg_published": "normal CG as published",
    "bicgstab": "BiCGStab",
    "anderson": "Anderson",
    "dense": "dense",
}


DATA = {
    "digits": "8×8 digits",
    "mnist5k": "5000 images of MNIST",
    "idx": "images in IDX files",
    "beale": "Beale’s function",
    "rosenbrock": "Rosenbrock’s function",
}
"""Data sets and test functions as a reader knows them."""


class Stroke(NamedTuple):
    """How a framework is drawn."""

    marker: str
    line: str | tuple[int, tuple[int, ...]]
    filled: bool


STROKES = {
    "torch": Stroke("o", "-", True),
    "torch compiled": Stroke("D", (0, (4, 1, 1, 1)), False),
    "jax": Stroke("s", "--", False),
}
"""How each runner is drawn, in the order in which runners are listed."""

USUAL = {"torch": "eager", "jax": "jit"}
"""The mode that a framework's name alone stands for."""


def label(method: str, options: Mapping[str, Any], gradient: str = "backprop") -> str:
    """The name of a method as a reader knows it.

    >>> label("ift", {"linear_solver": "gmres", "K": 60})
    'IFT, GMRES'
    """
    if method == "forward_gradient":
        tangents = str(options.get("tangents", "gaussian"))
        return FORWARD.get(tangents, f"forward gradient, {tangents}")
    name = {"jfb": "JFB", "ift": "IFT", "ift_reused": "IFT, Newton's factors"}.get(method, method.replace("_", " "))
    if method == "ift" and "linear_solver" in options:
        solver = str(options["linear_solver"])
        name = f"IFT, {SOLVERS.get(solver, solver)}"
    return name if gradient in ("backprop", method) else f"{gradient.replace('_', ' ')} × {name}"


def colour(name: str) -> str:
    """The colour of a method; one dark grey for all that have none of their own."""
    return COLOURS.get(name, OTHER)


def runner(framework: str, mode: str) -> str:
    """What ran a cell: the framework, and its mode where it is not the usual one.

    >>> runner("torch", "eager"), runner("torch", "compiled")
    ('torch', 'torch compiled')
    """
    return framework if mode in ("", USUAL.get(framework)) else f"{framework} {mode}"


def stroke(name: str) -> Stroke:
    """Marker and line of a runner."""
    return STROKES.get(name, Stroke("^", "-.", False))


def place(name: str) -> tuple[int, str]:
    """Sort key of runners: the known ones in the order of ``STROKES``, then the others by name."""
    names = list(STROKES)
    return (names.index(name) if name in names else len(names), name)


def order(name: str) -> tuple[int, str]:
    """Sort key: known methods in the order of ``COLOURS``, then the others by name."""
    names = list(COLOURS)
    return (names.index(name) if name in names else len(names), name)


def settings(values: Mapping[str, Any], without: tuple[str, ...] = ()) -> str:
    """Sizes or options in one line, sorted: ``batch 64, width 512``; many of them are shortened."""
    return shorten(", ".join(f"{name} {values[name]}" for name in sorted(values) if name not in without), 200)
