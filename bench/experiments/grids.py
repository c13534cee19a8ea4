"""Experiments that are cells alone: the instruments of the grid measure all of them."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from bench.cells import MEASURES, Cell, Value
from bench.experiments.catalog import Experiment, holding
from bench.presets import (
    BACKPROP,
    EXACT,
    GAUSSIAN,
    GIVEN,
    JFB,
    UNROLLED,
    Method,
    explicit,
    ift,
    implicit,
    on,
)


class Ratios(Experiment):
    """R_f and R_b of three models, over width and batch, and forward gradient along every axis.

    Baydin et al. 2022, figures 3 to 5: logistic regression, a dense and a convolutional net. Their ratios are those of
    calls that take as long to dispatch as to compute, so width and batch lead here from there to where products
    dominate. Along all n axes forward gradient is exact, and costs n tangents.
    """

    BATCH: ClassVar = {"smoke": 4, "quick": 64, "paper": 64}

    CNN_BATCH: ClassVar = {"smoke": 2, "quick": 16, "paper": 64}
    """A forward of the convolutional net takes a hundred times a dense one's flops."""

    WIDTHS: ClassVar = {"smoke": (8,), "quick": (32, 512), "paper": (32, 512, 1024, 4096)}

    BATCHES: ClassVar = {"smoke": (4,), "quick": (1, 64, 512), "paper": (1, 64, 512, 4096)}

    PIXELS: ClassVar = {"smoke": 4, "quick": 16, "paper": 64}
    """Inputs of the logistic regression whose gradient is taken axis by axis: images of 4 × 4 and of 8 × 8 pixels."""

    CLASSES = 10

    def cells(self, size: str) -> list[Cell]:
        """Sampling is part of forward gradient's time as published; with given tangents it is not."""
        three = (BACKPROP, GAUSSIAN, GIVEN)
        small = size == "smoke"
        found = explicit("logistic", {"batch": self.BATCH[size], **({"inputs": 16} if small else {})}, *three)
        dense = {"width": 16, "inputs": 16} if small else {"width": 1024, "inputs": 784}
        found += explicit("mlp", {"depth": 3, "batch": self.BATCH[size], "classes": self.CLASSES, **dense}, *three)
        if not small:
            found += explicit("cnn", {"batch": self.CNN_BATCH[size]}, *three)
        for width in self.WIDTHS[size]:
            for batch in self.BATCHES[size]:
                shape = {"depth": 3, "width": width, "inputs": width, "classes": self.CLASSES, "batch": batch}
                found += explicit("mlp", shape, BACKPROP, GIVEN)
        axes: Method = ("forward_gradient", {"tangents": "basis", "count": self.CLASSES * (self.PIXELS[size] + 1)})
        return found + explicit("logistic", {"inputs": self.PIXELS[size], "batch": self.BATCH[size]}, BACKPROP, axes)

    def memory_bytes(self, size: str) -> int:
        """The convolutional net: its float64 oracle spreads images into 3 × 3 neighbourhoods of 64 channels."""
        if size == "smoke":
            return holding()
        return holding(parameters=3_400_000, activations=2 * self.CNN_BATCH[size] * 784 * 576)


class NewtonLayer(Experiment):
    """A layer whose output is the root of an equation, found by Newton's method: unrolled against implicit.

    Unrolling keeps, and differentiates, K − 1 solves with an n × n Jacobian a sample; the implicit function theorem
    needs the last Jacobian alone, and Newton's method has already factored one: the one before the last.
    """

    REUSED: Method = ("ift_reused", {})

    STEPS: ClassVar = {"smoke": (2, 3), "quick": (2, 4, 6, 8, 10), "paper": (2, 3, 4, 5, 6, 8, 10, 15)}

    TIMED: ClassVar = {"smoke": (3,), "quick": (2, 6, 10), "paper": (2, 3, 4, 5, 6, 8, 10, 15)}

    LAYER: ClassVar = {
        "smoke": {"width": 4, "batch": 2},
        "quick": {"width": 64, "batch": 16},
        "paper": {"width": 64, "batch": 64},
    }

    def cells(self, size: str) -> list[Cell]:
        """Time at a few K, bytes and gradient error at all."""
        found: list[Cell] = []
        for K in self.STEPS[size]:
            measures = MEASURES if K in self.TIMED[size] else EXACT
            forward: dict[str, Value] = {"solver": "newton", "K": K}
            found += implicit(
                "newton", self.LAYER[size], forward, UNROLLED, ift("dense"), self.REUSED, JFB, measures=measures
            )
        return found

    def memory_bytes(self, size: str) -> int:
        """Unrolled, at the largest K: a few n × n matrices a sample and step."""
        width, batch = self.LAYER[size]["width"], self.LAYER[size]["batch"]
        return holding(activations=4 * max(self.STEPS[size]) * batch * width * width)


class Inverse(Experiment):
    """The implicit gradient by a dense solve, and by solvers that never form the matrix.

    One sample, so that the Jacobian is one n × n matrix: forming and factoring it costs n products with it and n³,
    where Picard and GMRES take as many products as the contraction factor asks for, whatever n.
    """

    WIDTHS: ClassVar = {"smoke": (4, 8), "quick": (32, 128, 512, 1024), "paper": (32, 128, 512, 1024, 4096)}

    SHAPES: ClassVar = {"smoke": (16,), "quick": (4096,), "paper": ()}
    """Widths whose bytes and flops are found from shapes alone, where nothing is solved."""

    STEPS: ClassVar = {"smoke": 6, "quick": 60, "paper": 60}

    KRYLOV: ClassVar = {"smoke": 3, "quick": 20, "paper": 20}

    def cells(self, size: str) -> list[Cell]:
        """Three linear solvers at every width."""

        def at(width: int) -> list[Cell]:
            solvers = ift("dense"), ift("picard", self.STEPS[size]), ift("gmres", self.KRYLOV[size])
            return implicit("tanh", {"gamma": 0.8, "width": width, "batch": 1}, {"K": self.STEPS[size]}, *solvers)

        solved = [cell for width in self.WIDTHS[size] for cell in at(width)]
        return solved + on(
            "meta", [cell for width in self.SHAPES[size] for cell in at(width) if self._has_shapes(cell)]
        )

    def _has_shapes(self, cell: Cell) -> bool:
        """torch's dense solve looks at numbers to see whether the matrix is singular; GMRES peaks where Picard does."""
        return cell.options["linear_solver"] == "picard" or (
            cell.framework == "jax" and cell.options["linear_solver"] == "dense"
        )

    def memory_bytes(self, size: str) -> int:
        """The weight, and a few copies of the Jacobian in the dense solve and in its oracle."""
        width = max(self.WIDTHS[size])
        return holding(parameters=width * width, activations=2 * width * width)


class SolverIndependence(Experiment):
    """One implicit gradient from every forward solver: the theorem asks where z* is, not how it was found.

    In float64, with enough steps of either solver for z* to be exact to rounding, so that gradient errors are rounding.
    """

    SOLVERS: ClassVar = {"picard": 200, "newton": 12}
    """Each forward solver with its K."""

    PROBLEMS = ("tanh", "newton")

    LAYER: ClassVar = {
        "smoke": {"width": 4, "batch": 2},
        "quick": {"width": 16, "batch": 8},
        "paper": {"width": 64, "batch": 64},
    }

    def cells(self, size: str) -> list[Cell]:
        """Dense backward solves, which have no tolerance of their own."""
        found: list[Cell] = []
        for problem in self.PROBLEMS:
            for solver, K in self.SOLVERS.items():
                found += implicit(problem, self.LAYER[size], {"solver": solver, "K": K}, ift("dense"), measures=EXACT)
        return [replace(cell, dtype="float64") for cell in found]

    def memory_bytes(self, size: str) -> int:
        """A few n × n matrices a sample."""
        width, batch = self.LAYER[size]["width"], self.LAYER[size]["batch"]
        return holding(activations=4 * batch * width * width)


class MemorySteps(Experiment):
    """Memory against iterations, unrolled and implicit, in the manner of Theseus's figure 4.

    There unrolling takes 34 to 262 MB from 2 to 50 iterations, 4.75 MB each, and implicit differentiation 33 MB
    throughout. Here a tanh layer is given the width and batch at which one state takes as many bytes. From shapes
    alone.
    """

    STEPS: ClassVar = {"smoke": (2, 5), "quick": (2, 5, 10, 20, 30, 40, 50), "paper": (2, 5, 10, 20, 30, 40, 50)}

    LAYER: ClassVar = {
        "smoke": {"width": 8, "batch": 4},
        "quick": {"width": 1160, "batch": 1024},  # 4 · 1160 · 1024 bytes = 4.75 MB
        "paper": {"width": 1160, "batch": 1024},
    }

    BACKWARD = 20

    def cells(self, size: str) -> list[Cell]:
        """Three adjoints at every K."""
        three = UNROLLED, ift("picard", self.BACKWARD), JFB
        found = [
            cell
            for K in self.STEPS[size]
            for cell in implicit("tanh", self.LAYER[size], {"K": K}, *three, measures=EXACT)
        ]
        return on("meta", found)

    def memory_bytes(self, size: str) -> int:
        """No array is ever made."""
        return holding()


class WorkPrecision(Experiment):
    """Gradient error against R as each method's options move: the fair way to compare approximate methods.

    One tanh layer at four contraction factors. Its weight is symmetric, since then the slowest direction contracts by
    nearly γ; with an orthogonal one the states average tanh's slopes, and all directions contract much faster. Unrolled
    differentiation shares K between the value and the gradient; every other method starts from a forward solve that is
    exact to float32's rounding, so that what it misses is its own; JFB and one IFT also start from shorter solves.
    Picard with one term is JFB. Backward solves have fixed steps M: a tolerance would stop at one of them.
    """

    GAMMAS: ClassVar = {"smoke": (0.8,), "quick": (0.5, 0.8, 0.95, 0.99), "paper": (0.5, 0.8, 0.95, 0.99)}

    STEPS: ClassVar = {"smoke": 10, "quick": 160, "paper": 320}
    """K of all but unrolled: residuals of 3e-10 at most at γ = 0.99 in 160 steps."""

    UNROLLED_STEPS: ClassVar = {"smoke": (3,), "quick": (10, 40, 160), "paper": (5, 10, 20, 40, 80, 160, 320)}

    PICARD: ClassVar = {"smoke": (2,), "quick": (5, 10, 40), "paper": (2, 5, 10, 20, 40, 80)}

    GMRES: ClassVar = {"smoke": (2,), "quick": (5, 10), "paper": (2, 5, 10, 20, 40)}

    SHORTER: ClassVar = {"smoke": 3, "quick": 10, "paper": 20}
    """K of a forward solve that leaves a residual, after which an exact backward solve is in vain."""

    COUNTS: ClassVar = {
        "smoke": ((UNROLLED, 1), (JFB, 2)),
        "quick": ((UNROLLED, 1), (JFB, 1), (JFB, 16)),
        "paper": tuple((through, count) for through in (UNROLLED, JFB) for count in (1, 16, 64)),
    }
    """What forward gradient runs through, with its number of tangents; at one contraction factor, since its error is
    variance."""

    FORWARD_GAMMA = 0.8

    LAYER: ClassVar = {
        "smoke": {"width": 4, "batch": 2},
        "quick": {"width": 64, "batch": 16},
        "paper": {"width": 256, "batch": 64},
    }

    def cells(self, size: str) -> list[Cell]:
        """Time and error of every method at every setting."""
        found: list[Cell] = []
        forward: dict[str, Value] = {"K": self.STEPS[size]}
        solves = [*(ift("picard", M) for M in self.PICARD[size]), *(ift("gmres", M) for M in self.GMRES[size]), JFB]
        for gamma in self.GAMMAS[size]:
            layer = self._layer(size, gamma)
            for K in self.UNROLLED_STEPS[size]:
                found += implicit("tanh", layer, {"K": K}, UNROLLED)
            found += implicit("tanh", layer, forward, *solves)
            found += implicit("tanh", layer, {"K": self.SHORTER[size]}, ift("picard", self.SHORTER[size]), JFB)
        layer = self._layer(size, self.FORWARD_GAMMA)
        for through, count in self.COUNTS[size]:
            tangents: dict[str, Value] = {**forward, "tangents": "given", "count": count}
            found += [replace(cell, gradient="forward_gradient") for cell in implicit("tanh", layer, tangents, through)]
        return found

    def _layer(self, size: str, gamma: float) -> dict[str, Value]:
        return {**self.LAYER[size], "gamma": gamma, "kind": "symmetric"}

    def memory_bytes(self, size: str) -> int:
        """States of the longest unrolled solve, and all tangents at once."""
        width, batch = self.LAYER[size]["width"], self.LAYER[size]["batch"]
        most = max(count for _, count in self.COUNTS[size])
        return holding(parameters=(1 + most) * 2 * width * width, activations=3 * self.STEPS[size] * batch * width)
