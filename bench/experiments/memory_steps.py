"""Memory against iterations, unrolled and implicit, in the manner of Theseus's figure 4.

There unrolling takes 34 to 262 MB from 2 to 50 iterations, 4.75 MB each, and implicit differentiation 33 MB throughout.
Here a tanh layer is given the width and batch at which one state takes as many bytes. From shapes alone.
"""

from __future__ import annotations

from bench.cells import Cell
from bench.experiments.alone import parts, perform
from bench.experiments.footprint import holding
from bench.presets import EXACT, JFB, UNROLLED, ift, implicit, on

__all__ = ["cells", "memory_bytes", "parts", "perform"]

STEPS = {"smoke": (2, 5), "quick": (2, 5, 10, 20, 30, 40, 50), "paper": (2, 5, 10, 20, 30, 40, 50)}
LAYER = {
    "smoke": {"width": 8, "batch": 4},
    "quick": {"width": 1160, "batch": 1024},  # 4 · 1160 · 1024 bytes = 4.75 MB
    "paper": {"width": 1160, "batch": 1024},
}
BACKWARD = 20


def cells(size: str) -> list[Cell]:
    """Three adjoints at every K."""
    three = UNROLLED, ift("picard", BACKWARD), JFB
    found = [cell for K in STEPS[size] for cell in implicit("tanh", LAYER[size], {"K": K}, *three, measures=EXACT)]
    return on("meta", found)


def memory_bytes(size: str) -> int:
    """No array is ever made."""
    return holding()
