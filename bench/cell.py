"""One point of the grid as an object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Value = int | float | str

MODES: Mapping[str, tuple[str, ...]] = {"torch": ("eager", "compiled"), "jax": ("jit",)}
"""Every framework and the modes its cells run in, the usual one first."""

DEVICES = ("cpu", "cuda", "meta")
"""Where cells run: on meta nowhere, from shapes alone, at sizes that no machine need hold. A cell on
``cuda`` is measured once on each GPU, as ``cuda:0`` and so on."""

MEASURES = ("time", "exact")


class Settings(Mapping[str, Value]):
    """An immutable, sorted, hashable mapping: equal settings make equal cells in whatever order they come."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, Value] | None = None, /) -> None:
        self._items = tuple(sorted((items or {}).items()))

    def __getitem__(self, name: str) -> Value:
        return dict(self._items)[name]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(self._items)

    def __repr__(self) -> str:
        return f"Settings({dict(self._items)!r})"

    def __str__(self) -> str:
        return "(" + ",".join(f"{name}={value}" for name, value in self._items) + ")" if self._items else ""


@dataclass(frozen=True)
class Cell:
    """One point of the grid: what is measured, and by which measures.

    ``sizes`` and ``options`` hold only what was given; defaults belong to ``impls``. ``gradient`` says which
    gradient method runs through an adjoint method; for a gradient method it is the method itself. ``mode`` is
    the framework's usual one unless said. A cell on meta has exact measures alone: shapes take no time.
    """

    framework: str
    problem: str
    method: str
    sizes: Mapping[str, Value] = field(default_factory=Settings)
    options: Mapping[str, Value] = field(default_factory=Settings)
    gradient: str = "backprop"
    mode: str = ""
    device: str = "cpu"
    dtype: str = "float32"
    seed: int = 0
    measures: tuple[str, ...] = MEASURES

    def __post_init__(self) -> None:
        # Frozen, so the normal forms go in past the guard.
        object.__setattr__(self, "sizes", Settings(self.sizes))
        object.__setattr__(self, "options", Settings(self.options))
        object.__setattr__(self, "mode", self.mode or MODES.get(self.framework, ("",))[0])
        possible = ("exact",) if self.device == "meta" else MEASURES
        object.__setattr__(self, "measures", tuple(name for name in possible if name in self.measures))

    @property
    def id(self) -> str:
        """The cell in one line, such as ``torch/eager/cpu/float32/tanh(width=512)/ift(K=60,M=60)``."""
        through = "" if self.gradient in ("backprop", self.method) else f"{self.gradient}×"
        parts = [
            self.framework,
            self.mode,
            self.device,
            self.dtype,
            f"{self.problem}{self.sizes}",
            f"{through}{self.method}{self.options}",
        ]
        return "/".join(parts + ([f"seed={self.seed}"] if self.seed else []))

    def as_json(self) -> dict[str, Any]:
        """Plain values that ``Cell(**…)`` turns back into an equal cell."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return plain | {
            "sizes": dict(self.sizes),
            "options": dict(self.options),
            "measures": list(self.measures),
        }
