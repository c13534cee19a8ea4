"""The cells of the peers' bench: fixed points of one tanh layer, and two nets for forward gradients.

Of a tanh cell the level is the gradient error that every contender has to reach, and decides the dtype. A symmetric
weight contracts by nearly γ in its slowest direction; with an orthogonal one, rotation-like, all directions contract
alike and faster.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from bench.cells import MODES, Settings, Value
from bench.select import nearest

DTYPES: Mapping[float, str] = {1e-2: "float32", 1e-4: "float32", 1e-6: "float64"}
"""The levels, and in which dtype each is asked for."""


@dataclass(frozen=True)
class PeerCell:
    """A problem of ``impls.problems`` with its sizes, and the gradient error to be reached."""

    problem: str
    sizes: Settings
    level: float

    @property
    def name(self) -> str:
        """Such as ``tanh-512x64-symmetric-0.8-0.0001`` (width × batch, kind, γ, level) or ``mlp-3x1024x64``."""
        sizes = self.sizes
        if self.problem == "mlp":
            return f"mlp-{sizes['depth']}x{sizes['width']}x{sizes['batch']}"
        return f"tanh-{sizes['width']}x{sizes['batch']}-{sizes['kind']}-{sizes['gamma']:g}-{self.level:g}"

    @property
    def dtype(self) -> str:
        return DTYPES[self.level]

    def make(self) -> Any:
        """The ``impls.problems.Problem``."""
        from impls import problems

        sizes: dict[str, Any] = dict(self.sizes)
        return problems.make(self.problem, **sizes)


def tanh(width: int, batch: int, kind: str, gamma: float, level: float) -> PeerCell:
    """One cell of the tanh layer."""
    sizes: dict[str, Value] = {"width": width, "batch": batch, "kind": kind, "gamma": gamma}
    return PeerCell("tanh", Settings(sizes), level)


def mlp(depth: int, width: int = 1024, batch: int = 64) -> PeerCell:
    """A net of ``depth`` dense layers; the level bounds how far an estimate is off the law of its tangents."""
    return PeerCell("mlp", Settings({"depth": depth, "width": width, "batch": batch}), 1e-2)


QUICK = (
    tanh(128, 1, "symmetric", 0.9, 1e-4),
    tanh(128, 64, "orthogonal", 0.9, 1e-2),
    tanh(128, 64, "symmetric", 0.99, 1e-6),
    tanh(128, 256, "symmetric", 0.5, 1e-4),
    tanh(512, 1, "orthogonal", 0.99, 1e-6),
    tanh(512, 1, "symmetric", 0.99, 1e-4),
    tanh(512, 64, "symmetric", 0.8, 1e-4),
    tanh(512, 64, "orthogonal", 0.95, 1e-2),
    tanh(512, 256, "symmetric", 0.95, 1e-2),
    tanh(1024, 1, "orthogonal", 0.5, 1e-4),
    tanh(1024, 64, "symmetric", 0.9, 1e-2),
    tanh(1024, 256, "orthogonal", 0.8, 1e-2),
)
"""Every width, batch, kind and level occurs, each with others beside it."""

NETS = (mlp(3), mlp(4))
"""784-1024-1024-10 and 784-1024-1024-1024-10."""

FULL = tuple(
    tanh(width, batch, kind, gamma, level)
    for width, batch, kind, gamma, level in product(
        (128, 512, 1024), (1, 64, 256), ("symmetric", "orthogonal"), (0.5, 0.8, 0.9, 0.95, 0.99), DTYPES
    )
)

PRESETS: Mapping[str, tuple[PeerCell, ...]] = {
    "smoke": (tanh(32, 4, "symmetric", 0.5, 1e-2),),
    "quick": QUICK + NETS,
    "full": FULL + NETS,
}


def cells(preset: str) -> tuple[PeerCell, ...]:
    """The cells of a preset; ``ValueError`` for a name that there is not."""
    if preset not in PRESETS:
        raise ValueError(f"No preset {preset!r} of peers: {nearest(preset, PRESETS)}")
    return PRESETS[preset]


def named(name: str, among: Sequence[PeerCell] | None = None) -> PeerCell:
    """The cell of that name, of any preset unless ``among`` says which; ``ValueError`` where there is none."""
    known = {cell.name: cell for cell in (among or [cell for one in PRESETS.values() for cell in one])}
    if name not in known:
        raise ValueError(f"No cell of peers {name!r}: {nearest(name, known)}")
    return known[name]


def wanted(preset: str, only: Sequence[str]) -> tuple[tuple[PeerCell, ...], tuple[str, ...]]:
    """The cells and frameworks meant; ``ValueError`` for a name that there is not."""
    among = cells(preset)
    frameworks = tuple(name for name in MODES if name in only) or tuple(MODES)
    chosen = [named(name, among) for name in only if name not in MODES]
    return tuple(chosen) or among, frameworks


def listed(chosen: Sequence[PeerCell], frameworks: Sequence[str]) -> list[str]:
    """One line a cell, then one a framework and kind of problem."""
    from bench.peers.contenders import contenders

    lines = [f"{cell.name:<40} {cell.dtype}" for cell in chosen]
    for framework in frameworks:
        for problem in dict.fromkeys(cell.problem for cell in chosen):
            cell = next(one for one in chosen if one.problem == problem)
            lines.append(f"{framework} {problem}: {', '.join(one.name for one in contenders(cell, framework))}")
    return lines
