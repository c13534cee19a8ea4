"""One part of an experiment as an object: what a worker process does in one go where no cell says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.cells import Settings, Value


@dataclass(frozen=True)
class Part:
    """A training run of one seed, one sample of a comparison of times: small enough to be lost in a kill.

    experiment: its module in ``bench/experiments``. framework: torch, jax, or numpy where none is needed. settings:
    what the experiment needs to know, such as the method, the rate and the seed. worker: parts with different numbers
    are taken by different processes, so that their times are independent samples.
    """

    experiment: str
    framework: str
    settings: Mapping[str, Value] = field(default_factory=Settings)
    worker: int = 0
    device: str = "cpu"
    dtype: str = "float32"

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", Settings(self.settings))  # frozen, so it goes in past the guard

    @property
    def id(self) -> str:
        """The part in one line, such as ``training/torch/cpu/float32/(lr=0.1,method=backprop,seed=0)``."""
        return f"{self.experiment}/{self.framework}/{self.device}/{self.dtype}/{self.settings}"

    def as_json(self) -> dict[str, Any]:
        """Plain values that ``Part(**…)`` turns back into an equal part."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return plain | {"settings": dict(self.settings)}
