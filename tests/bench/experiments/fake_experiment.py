"""An experiment that measures nothing: put under the name ``descent`` it answers or fails as its parts say."""

from __future__ import annotations

from bench.cells import Cell
from bench.experiments.catalog import Experiment, Place, Record
from bench.plan import Part


class Descent(Experiment):
    def cells(self, size: str) -> list[Cell]:
        return [Cell("torch", "tanh", "jfb", {"width": 4, "batch": 2}, {"K": 3}, measures=("exact",))]

    def parts(self, size: str, data: bool) -> list[Part]:
        return [Part("descent", "numpy", {"seed": seed}) for seed in range(3)]

    def perform(self, part: Part, place: Place) -> list[Record]:
        if part.settings["seed"] == 1:
            raise MemoryError("no memory for this one")
        return [{"iteration": 0, "loss": float("nan")}, {"iteration": 1, "loss": 0.5, "where": str(place.data)}]

    def memory_bytes(self, size: str) -> int:
        return 10**6
