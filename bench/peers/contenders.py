"""Who takes part: each contender's name, method and library, the file that builds it, and what it may choose."""

from __future__ import annotations

import importlib
import importlib.metadata
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.cells import Value
from bench.failures import NotApplicable
from bench.peers.cells import PeerCell


@dataclass(frozen=True)
class Contender:
    """A way to a gradient.

    method: contenders of one method are divided by ours of that method. package: the library that it needs, None for
    our own and the framework's. maker: the module of this package that has it, as two functions:
    ``gradient(contender, framework, cell, K, options)`` builds ``fn(params, batch, rng) -> (value, gradient, …)``, and
    ``options(contender, framework, cell)`` is the ladders that it may choose from.
    """

    name: str
    method: str
    maker: str = "ours"
    package: str | None = None

    @property
    def base(self) -> bool:
        """Whether others of its method are divided by this one."""
        return self.name in BASES.values()

    @property
    def kind(self) -> str:
        """The name without its library: ``ift gmres`` of ``jaxopt ift gmres``."""
        return self.name.partition(" ")[2]

    @property
    def version(self) -> str | None:
        """Such as ``jaxopt 0.8.5``; None where no library is needed or it is missing."""
        try:
            return f"{self.package} {importlib.metadata.version(self.package)}" if self.package else None
        except importlib.metadata.PackageNotFoundError:
            return None


BASES: Mapping[str, str] = {
    "ift": "ours ift",
    "jfb": "ours jfb",
    "unrolled": "ours unrolled",
    "backprop": "ours backprop",
    "forward_gradient": "ours gaussian",
    "step": "ours backprop step",
}
"""Of every method the contender that the others are divided by: ratio = its seconds ÷ theirs."""

OURS = (Contender("ours ift", "ift"), Contender("ours jfb", "jfb"), Contender("ours unrolled", "unrolled"))


def _library(package: str, *kinds: str) -> tuple[Contender, ...]:
    """Contenders of one library: each kind begins with its method."""
    return tuple(Contender(f"{package} {kind}", kind.split()[0], f"{package}_peer", package) for kind in kinds)


FIXED_POINT: Mapping[str, tuple[Contender, ...]] = {
    "torch": (*OURS, *_library("torchdeq", "ift fixed_point_iter", "ift anderson", "ift broyden", "jfb")),
    "jax": (
        *OURS,
        *_library("jaxopt", "ift default", "ift normal_cg", "ift gmres", "ift bicgstab", "unrolled"),
        *_library("optimistix", "ift default", "ift gmres", "ift bicgstab", "ift normal_cg", "unrolled"),
    ),
}
"""banax needs Python 3.12 and takes no part."""

NET = (
    Contender("ours backprop", "backprop"),
    Contender("ours gaussian", "forward_gradient"),
    Contender("ours factored", "forward_gradient"),
    Contender("stock", "forward_gradient", "stock"),
    Contender("ours backprop step", "step"),
    Contender("ours gaussian step", "step"),
    Contender("ours factored step", "step"),
)
"""Estimates by tangents that are drawn inside the call, and training steps. stock: the framework's own jvp with dense
gaussian tangents, in the fewest lines."""


def contenders(cell: PeerCell, framework: str) -> tuple[Contender, ...]:
    """Everyone who takes part in a cell."""
    return NET if cell.problem == "mlp" else FIXED_POINT[framework]


def library(name: str) -> Any:
    """A library of another project; ``NotApplicable`` where it is missing. What it warns of while it is imported is its
    own affair."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name.partition(".")[0]:
            raise
        raise NotApplicable(f"{error.name} is not installed: pip install 'gradratio[peers]'") from None


def gradient(
    contender: Contender, framework: str, cell: PeerCell, K: int | None, options: Mapping[str, Any]
) -> Callable[..., Any]:
    """fn(params, batch, rng) -> (value, gradient, …) of a contender, not yet compiled. K: evaluations of step."""
    found: Callable[..., Any] = _maker(contender).gradient(contender, framework, cell, K, options)
    return found


# What a contender may choose ------------------------------------------------------------------------------------

Options = dict[str, Value]

STEPS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 150, 200, 300)
"""Steps of a backward solve, the same rungs for everyone."""

BATCHED = ("whole", "vmap")
"""How a library of jax that knows no batches takes one: as one state, or every sample alone."""


@dataclass(frozen=True)
class Ladder:
    """fixed: options of every rung. name, values: the option that moves, cheapest first; none: one rung. traced: it may
    be an array in jax, so that one compilation serves to try all rungs."""

    fixed: Mapping[str, Value] = field(default_factory=dict)
    name: str = ""
    values: Sequence[Value] = (0,)
    traced: bool = False

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: int) -> Options:
        if not 0 <= index < len(self.values):
            raise IndexError(index)
        return {**self.fixed, **({self.name: self.values[index]} if self.name else {})}


def ladders(contender: Contender, framework: str, cell: PeerCell) -> tuple[Ladder, ...]:
    """All that a contender may choose from: ladders whose rungs cost more and err less one after the other. Raises
    ``NotApplicable`` and ``ValueError`` where there is nothing."""
    found: tuple[Ladder, ...] = _maker(contender).options(contender, framework, cell)
    return found


def _maker(contender: Contender) -> Any:
    return importlib.import_module(f"bench.peers.{contender.maker}")
