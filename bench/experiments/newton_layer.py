"""A layer whose output is the root of an equation, found by Newton's method: unrolled against implicit.

Unrolling keeps, and differentiates, K − 1 solves with an n × n Jacobian a sample; the implicit function theorem needs
the last Jacobian alone, and Newton's method has already factored one: the one before the last.
"""

from __future__ import annotations

from bench.cells import MEASURES, Cell, Value
from bench.experiments.alone import parts, perform
from bench.experiments.footprint import holding
from bench.presets import EXACT, JFB, UNROLLED, Method, ift, implicit

__all__ = ["cells", "memory_bytes", "parts", "perform"]

REUSED: Method = ("ift_reused", {})
STEPS = {"smoke": (2, 3), "quick": (2, 4, 6, 8, 10), "paper": (2, 3, 4, 5, 6, 8, 10, 15)}
TIMED = {"smoke": (3,), "quick": (2, 6, 10), "paper": (2, 3, 4, 5, 6, 8, 10, 15)}
LAYER = {
    "smoke": {"width": 4, "batch": 2},
    "quick": {"width": 64, "batch": 16},
    "paper": {"width": 64, "batch": 64},
}


def cells(size: str) -> list[Cell]:
    """Time at a few K, bytes and gradient error at all."""
    found: list[Cell] = []
    for K in STEPS[size]:
        measures = MEASURES if K in TIMED[size] else EXACT
        forward: dict[str, Value] = {"solver": "newton", "K": K}
        found += implicit("newton", LAYER[size], forward, UNROLLED, ift("dense"), REUSED, JFB, measures=measures)
    return found


def memory_bytes(size: str) -> int:
    """Unrolled, at the largest K: a few n × n matrices a sample and step."""
    width, batch = LAYER[size]["width"], LAYER[size]["batch"]
    return holding(activations=4 * max(STEPS[size]) * batch * width * width)
