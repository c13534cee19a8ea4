"""R and memory against depth, and what the memory is made of.

Baydin et al. 2022, figure 6: nets of equal layers, 1 to 100 of them. Its batch is 64 at width 1024, where a layer's
weights take sixteen times its activation: what the plot shows is three copies of the parameters in both methods. So
memory is also taken along the batch, and with tangents that are stored, scaled in place, and drawn again from their
seed (``impls.*.replayed``), which are three, two and one copies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bench.cells import Cell, Value
from bench.experiments.catalog import Experiment, Place, Record, holding
from bench.job import framework_of
from bench.older import module
from bench.plan import Part
from bench.presets import BACKPROP, EXACT, GAUSSIAN, GIVEN, Method, explicit, on, unique
from bench.subjects import CatalogueProblem

WIDTH = {"smoke": 8, "quick": 256, "paper": 1024}

DEPTHS = {"smoke": (1, 3), "quick": (1, 3, 10, 30, 100), "paper": (1, 3, 10, 30, 100)}

BATCH = {"smoke": 4, "quick": 64, "paper": 64}

SAMPLED_DEPTH = {"smoke": 3, "quick": 10, "paper": 100}
"""Deepest net whose tangents jax draws in a time cell: XLA takes 0.37 s of each process to compile one layer's draws,
as long as 100 timed pairs."""

SHAPES = {"smoke": 16, "quick": 1024, "paper": 1024}
"""Width of the nets whose memory is found from their shapes alone."""

BATCHES = {"smoke": (8,), "quick": (64, 1024, 16384), "paper": (64, 1024, 16384)}

COPIES = {"smoke": (4,), "quick": (64, 1024, 4096), "paper": (64, 1024, 4096)}
"""Batches at which the copies of the parameters are counted; drawing tangents takes arrays that are there."""

COPIES_WIDTH = {"smoke": 8, "quick": 256, "paper": 256}

COPIES_DEPTH = {"smoke": 2, "quick": 10, "paper": 10}

RATE = 1e-3
"""Of an update, any: bytes do not depend on it."""


class Depth(Experiment):
    """See above."""

    def cells(self, size: str) -> list[Cell]:
        """Time along depth, then bytes along depth and batch."""
        found: list[Cell] = []
        for depth in DEPTHS[size]:
            three = explicit("mlp", net(depth, WIDTH[size], BATCH[size]), BACKPROP, GAUSSIAN, GIVEN)
            found += [cell for cell in three if depth <= SAMPLED_DEPTH[size] or not _draws_in_jax(cell)]
        shapes = [net(depth, SHAPES[size], BATCH[size]) for depth in DEPTHS[size]]
        shapes += [net(COPIES_DEPTH[size], SHAPES[size], batch) for batch in BATCHES[size]]
        found += on("meta", _bytes(shapes, BACKPROP, GIVEN))
        copies = [net(COPIES_DEPTH[size], COPIES_WIDTH[size], batch) for batch in COPIES[size]]
        return list(unique(found + _bytes(copies, BACKPROP, GIVEN, GAUSSIAN)))

    def parts(self, size: str, data: bool) -> list[Part]:
        """Bytes of one update whose tangents are drawn again, at the batches of the cells with stored ones."""
        settings: dict[str, Value] = {"what": "replayed", "depth": COPIES_DEPTH[size], "width": COPIES_WIDTH[size]}
        return [
            Part("depth", framework, {**settings, "batch": batch})
            for framework in ("torch", "jax")
            for batch in COPIES[size]
        ]

    def perform(self, part: Part, place: Place) -> list[Record]:
        """One record a part: bytes newly allocated by an update in place, at its peak, beside what they are made of."""
        if part.settings.get("what") != "replayed":
            return super().perform(part, place)
        depth, width, batch = (int(part.settings[name]) for name in ("depth", "width", "batch"))
        layer, activation = 4 * width * (width + 1), 4 * batch * width
        return [
            {
                "framework": part.framework,
                "what": "replayed",
                "depth": depth,
                "width": width,
                "batch": batch,
                "peak_bytes": update_bytes(part.framework, part.device, part.dtype, net(depth, width, batch)),
                "parameter_bytes": depth * layer,
                "layer_bytes": layer,
                "activation_bytes": activation,
            }
        ]

    def memory_bytes(self, size: str) -> int:
        """The deepest net, with all activations of the oracle."""
        width, depth = WIDTH[size], max(DEPTHS[size])
        return holding(parameters=depth * width * (width + 1), activations=depth * BATCH[size] * width)


def net(depth: int, width: int, batch: int) -> dict[str, int]:
    """Sizes of a net of equal layers."""
    return {"depth": depth, "width": width, "inputs": width, "classes": width, "batch": batch}


def _draws_in_jax(cell: Cell) -> bool:
    return cell.framework == "jax" and cell.options.get("tangents") == "gaussian"


def _bytes(shapes: Iterable[dict[str, int]], *methods: Method) -> list[Cell]:
    return [cell for sizes in shapes for cell in explicit("mlp", sizes, *methods, measures=EXACT)]


def update_bytes(framework: str, device: str, dtype: str, sizes: Mapping[str, int]) -> int:
    """Bytes newly allocated at the peak of one update in place of the net ``mlp`` with these sizes."""
    from bench.instruments.jax_memory import assigned_bytes
    from bench.instruments.torch_memory import live_bytes
    from impls import problems

    used: Any = framework_of(framework, device)
    replayed: Any = module(f"impls.{framework}.replayed")
    problem, rng = CatalogueProblem(problems.make("mlp", **sizes), used, dtype), used.rng(0)
    params, batch = problem.params, problem.batch
    if framework == "torch":
        return live_bytes(lambda: replayed.update(params, batch, rng, RATE)).peak
    return assigned_bytes(lambda p, b, r: replayed.update(p, b, r, RATE), params, batch, rng, donate=(0,))
