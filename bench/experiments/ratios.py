"""R_f and R_b of three models, over width and batch, and forward gradient along every axis.

Baydin et al. 2022, figures 3 to 5: logistic regression, a dense and a convolutional net. Their ratios are those of
calls that take as long to dispatch as to compute, so width and batch lead here from there to where products dominate.
Along all n axes forward gradient is exact, and costs n tangents.
"""

from __future__ import annotations

from bench.cells import Cell
from bench.experiments.alone import parts, perform
from bench.experiments.footprint import holding
from bench.presets import BACKPROP, GAUSSIAN, GIVEN, Method, explicit

__all__ = ["cells", "memory_bytes", "parts", "perform"]

BATCH = {"smoke": 4, "quick": 64, "paper": 64}
CNN_BATCH = {"smoke": 2, "quick": 16, "paper": 64}
"""A forward of the convolutional net takes a hundred times a dense one's flops."""

WIDTHS = {"smoke": (8,), "quick": (32, 512), "paper": (32, 512, 1024, 4096)}
BATCHES = {"smoke": (4,), "quick": (1, 64, 512), "paper": (1, 64, 512, 4096)}
PIXELS = {"smoke": 4, "quick": 16, "paper": 64}
"""Inputs of the logistic regression whose gradient is taken axis by axis: images of 4 × 4 and of 8 × 8 pixels."""

CLASSES = 10


def cells(size: str) -> list[Cell]:
    """Sampling is part of forward gradient's time as published; with given tangents it is not."""
    three = (BACKPROP, GAUSSIAN, GIVEN)
    small = size == "smoke"
    found = explicit("logistic", {"batch": BATCH[size], **({"inputs": 16} if small else {})}, *three)
    dense = {"width": 16, "inputs": 16} if small else {"width": 1024, "inputs": 784}
    found += explicit("mlp", {"depth": 3, "batch": BATCH[size], "classes": CLASSES, **dense}, *three)
    if not small:
        found += explicit("cnn", {"batch": CNN_BATCH[size]}, *three)
    for width in WIDTHS[size]:
        for batch in BATCHES[size]:
            shape = {"depth": 3, "width": width, "inputs": width, "classes": CLASSES, "batch": batch}
            found += explicit("mlp", shape, BACKPROP, GIVEN)
    axes: Method = ("forward_gradient", {"tangents": "basis", "count": CLASSES * (PIXELS[size] + 1)})
    return found + explicit("logistic", {"inputs": PIXELS[size], "batch": BATCH[size]}, BACKPROP, axes)


def memory_bytes(size: str) -> int:
    """The convolutional net: its float64 oracle spreads images into 3 × 3 neighbourhoods of 64 channels."""
    if size == "smoke":
        return holding()
    return holding(parameters=3_400_000, activations=2 * CNN_BATCH[size] * 784 * 576)
