"""Gradient error against R as each method's options move: the fair way to compare approximate methods.

One tanh layer at four contraction factors. Its weight is symmetric, since then the slowest direction contracts by
nearly γ; with an orthogonal one the states average tanh's slopes, and all directions contract much faster. Unrolled
differentiation shares K between the value and the gradient; every other method starts from a forward solve that is
exact to float32's rounding, so that what it misses is its own; JFB and one IFT also start from shorter solves. Picard
with one term is JFB. Backward solves have fixed steps M: a tolerance would stop at one of them.
"""

from __future__ import annotations

from dataclasses import replace

from bench.cells import Cell, Value
from bench.experiments.alone import parts, perform
from bench.experiments.footprint import holding
from bench.presets import JFB, UNROLLED, ift, implicit

__all__ = ["cells", "memory_bytes", "parts", "perform"]

GAMMAS = {"smoke": (0.8,), "quick": (0.5, 0.8, 0.95, 0.99), "paper": (0.5, 0.8, 0.95, 0.99)}
STEPS = {"smoke": 10, "quick": 160, "paper": 320}
"""K of all but unrolled: residuals of 3e-10 at most at γ = 0.99 in 160 steps."""

UNROLLED_STEPS = {"smoke": (3,), "quick": (10, 40, 160), "paper": (5, 10, 20, 40, 80, 160, 320)}
PICARD = {"smoke": (2,), "quick": (5, 10, 40), "paper": (2, 5, 10, 20, 40, 80)}
GMRES = {"smoke": (2,), "quick": (5, 10), "paper": (2, 5, 10, 20, 40)}
SHORTER = {"smoke": 3, "quick": 10, "paper": 20}
"""K of a forward solve that leaves a residual, after which an exact backward solve is in vain."""

COUNTS = {
    "smoke": ((UNROLLED, 1), (JFB, 2)),
    "quick": ((UNROLLED, 1), (JFB, 1), (JFB, 16)),
    "paper": tuple((through, count) for through in (UNROLLED, JFB) for count in (1, 16, 64)),
}
"""What forward gradient runs through, with its number of tangents; at one contraction factor, since its error is
variance."""

FORWARD_GAMMA = 0.8
LAYER = {
    "smoke": {"width": 4, "batch": 2},
    "quick": {"width": 64, "batch": 16},
    "paper": {"width": 256, "batch": 64},
}


def cells(size: str) -> list[Cell]:
    """Time and error of every method at every setting."""
    found: list[Cell] = []
    forward: dict[str, Value] = {"K": STEPS[size]}
    solves = [*(ift("picard", M) for M in PICARD[size]), *(ift("gmres", M) for M in GMRES[size]), JFB]
    for gamma in GAMMAS[size]:
        layer = _layer(size, gamma)
        for K in UNROLLED_STEPS[size]:
            found += implicit("tanh", layer, {"K": K}, UNROLLED)
        found += implicit("tanh", layer, forward, *solves)
        found += implicit("tanh", layer, {"K": SHORTER[size]}, ift("picard", SHORTER[size]), JFB)
    layer = _layer(size, FORWARD_GAMMA)
    for through, count in COUNTS[size]:
        tangents: dict[str, Value] = {**forward, "tangents": "given", "count": count}
        found += [replace(cell, gradient="forward_gradient") for cell in implicit("tanh", layer, tangents, through)]
    return found


def _layer(size: str, gamma: float) -> dict[str, Value]:
    return {**LAYER[size], "gamma": gamma, "kind": "symmetric"}


def memory_bytes(size: str) -> int:
    """States of the longest unrolled solve, and all tangents at once."""
    width, batch = LAYER[size]["width"], LAYER[size]["batch"]
    most = max(count for _, count in COUNTS[size])
    return holding(parameters=(1 + most) * 2 * width * width, activations=3 * STEPS[size] * batch * width)
