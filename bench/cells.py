"""One point of the grid as an object: what is measured, its id written and read, its names for people, its series, and
the options that it leaves to their defaults."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

from bench.failures import NotApplicable
from bench.older import facts, solvers

Value = int | float | str

MODES: Mapping[str, tuple[str, ...]] = {"torch": ("eager", "compiled"), "jax": ("jit",)}
"""Every framework and the modes its cells run in, the usual one first."""

DEVICES = ("cpu", "cuda", "meta")
"""Where cells run: on meta nowhere, from shapes alone, at sizes that no machine need hold. A cell on
``cuda`` is measured once on each GPU, as ``cuda:0`` and so on."""

MEASURES = ("time", "exact")

GROWING = frozenset({"depth", "width", "batch", "inputs", "classes", "channels", "K", "M", "count"})
"""Sizes and options that cost more the larger they are."""

BARE = ("linear_solver", "tangents")
"""Options whose values say what they are without their names; no two of them share a value."""


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


@dataclass(frozen=True)
class Label:
    """What a cell is called: two cells with the same problem and method differ in the framework alone."""

    problem: str
    """With all sizes that the cell names: ``tanh(batch=8,width=16)``."""
    method: str
    """With all options that the cell names: ``ift(K=60,M=60,linear_solver=picard)``."""
    framework: str
    """``torch``; whatever is not usual follows: ``torch-compiled``, ``jax-float64``."""
    short: str
    """``tanh-ift(picard,M=60)-torch``: of sizes and options those alone that set cells of a preset apart."""


def parse(text: str) -> Cell:
    """The cell that an id stands for, with all measures; ``ValueError`` for a text that is no id.

    An id leaves out which gradient runs through a method where that is backprop or the method itself: here it is
    backprop.
    """
    found = _ID.fullmatch(text)
    if found is None:
        raise ValueError(_NO_ID.format(text))
    framework, mode, device, dtype, problem, sizes, gradient, method, options, seed = found.groups()
    cell = Cell(
        framework,
        problem,
        method,
        _settings(sizes),
        _settings(options),
        gradient=gradient or "backprop",
        mode=mode,
        device=device,
        dtype=dtype,
        seed=int(seed or 0),
    )
    if cell.id != text:
        raise ValueError(_NO_ID.format(text))
    return cell


def number(text: str) -> Value:
    """A text as an int where it reads as one, else as a float, else as it is."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def on_gpus(cells: Iterable[Cell], gpus: Sequence[int]) -> tuple[Cell, ...]:
    """The cells with each one on ``cuda`` once for every GPU there is, as ``cuda:0`` and so on; none where there is
    no GPU."""
    return tuple(
        placed
        for cell in cells
        for placed in ([replace(cell, device=f"cuda:{index}") for index in gpus] if cell.device == "cuda" else [cell])
    )


def larger(one: object, other: object) -> bool:
    """Whether ``one`` costs more than ``other`` in every way that they differ: the same but for sizes and options that
    grow, none of them smaller and at least one larger. Of all but cells nothing is known."""
    if not (isinstance(one, Cell) and isinstance(other, Cell)):
        return False
    if any(getattr(one, name) != getattr(other, name) for name in _SAME):
        return False
    pairs = [*_both(one.sizes, other.sizes), *_both(one.options, other.options)]
    if any(mine is None or theirs is None for _, mine, theirs in pairs):
        return False
    changed = [(name, mine, theirs) for name, mine, theirs in pairs if mine != theirs]
    return bool(changed) and all(
        name in GROWING and isinstance(mine, int | float) and isinstance(theirs, int | float) and mine > theirs
        for name, mine, theirs in changed
    )


def label(cell: Cell, among: Iterable[Cell]) -> Label:
    """The names of ``cell``; what all cells ``among`` of its problem have in common is left out of the short one."""
    family = [_named(one) for one in among if one.problem == cell.problem]
    common = reduce(set.intersection, family) if len(family) > 1 else set()
    through = "" if cell.gradient in ("backprop", cell.method) else f"{cell.gradient}×"
    framework = _framework(cell)
    sizes, options = (
        _short([(name, value) for kind, name, value in sorted(_named(cell) - common, key=_order) if kind == wanted])
        for wanted in ("size", "option")
    )
    return Label(
        problem=f"{cell.problem}{cell.sizes}",
        method=f"{through}{cell.method}{cell.options}",
        framework=framework,
        short=f"{cell.problem}{sizes}-{through}{cell.method}{options}-{framework}",
    )


_SAME = ("framework", "mode", "device", "dtype", "problem", "method", "gradient")
"""What cells of one series have in common."""

_ID = re.compile(
    r"([^/]+)/([^/]+)/([^/]+)/([^/]+)/([^/()]+)(\([^/()]+\))?/(?:([^/()×]+)×)?([^/()×]+)(\([^/()]+\))?(?:/seed=(-?\d+))?"
)
_NO_ID = "{!r} is no cell: write it as a line of `list`, such as torch/eager/cpu/float32/tanh(width=64)/ift(K=20,M=20)."

_Setting = tuple[str, str, Value]


def _named(cell: Cell) -> set[_Setting]:
    """Sizes and options in one set, each with its kind."""
    return {("size", name, value) for name, value in cell.sizes.items()} | {
        ("option", name, value) for name, value in cell.options.items()
    }


def _order(setting: _Setting) -> tuple[bool, str]:
    """Values without a name first, then by name."""
    return setting[1] not in BARE, setting[1]


def _short(settings: list[tuple[str, Value]]) -> str:
    """``(picard,M=60)``, or nothing where there is nothing to say."""
    words = [f"{value}" if name in BARE else f"{name}={value}" for name, value in settings]
    return f"({','.join(words)})" if words else ""


def _framework(cell: Cell) -> str:
    """The framework and all that is not usual in a cell of it."""
    usual = Cell(cell.framework, cell.problem, cell.method)
    unusual = [
        getattr(cell, name) for name in ("mode", "device", "dtype") if getattr(cell, name) != getattr(usual, name)
    ]
    return "-".join([cell.framework, *unusual] + ([f"seed={cell.seed}"] if cell.seed else []))


def _settings(text: str | None) -> dict[str, Value]:
    """The settings that ``(K=60,M=60)`` says."""
    pairs = (one.partition("=") for one in (text or "")[1:-1].split(",") if one)
    return {name: number(value) for name, _, value in pairs}


def _both(one: Mapping[str, Value], other: Mapping[str, Value]) -> list[tuple[str, Value | None, Value | None]]:
    """Each name with both values; None where one of them leaves it to its default."""
    return [(name, one.get(name), other.get(name)) for name in {**one, **other}]


# Options that a cell does not name ------------------------------------------------------------------------------

STEPS = {"picard": 60, "newton": 6, "anderson": 20}
"""K of each forward solver."""
TERMS = {"picard": 60, "gmres": 20, "normal_cg": 20, "normal_cg_published": 20, "bicgstab": 10, "anderson": 20}
"""M of each linear solver; a direct one has none."""


def with_defaults(cell: Cell) -> dict[str, Any]:
    """Every option of a cell."""
    from impls.catalog import METHODS

    given = dict(cell.options)
    filled: dict[str, Any] = {}
    row = METHODS[cell.method]
    if row.interface == "adjoint":
        usual, fitting = facts(cell.problem).solver, solvers(row)
        filled["solver"] = given.get("solver", usual if usual in fitting else fitting[0])
        filled["K"] = STEPS.get(filled["solver"], STEPS["picard"])
    if "linear_solver" in row.options:
        filled["linear_solver"] = given.get("linear_solver", "picard")
        if filled["linear_solver"] != "dense":
            filled["M"] = TERMS.get(filled["linear_solver"], TERMS["picard"])
    if cell.gradient == "forward_gradient":
        filled["tangents"] = "gaussian"
    return filled | given


def require_solver(method: str, solver: str) -> None:
    """Raise ``NotApplicable`` for a known forward solver that does not fit a method; an unknown one is left to whoever
    looks it up, and has a hint for it."""
    from impls.catalog import CHOICES, METHODS

    fitting = solvers(METHODS[method])
    if solver not in fitting and solver in CHOICES["solver"]:
        raise NotApplicable(f"The solver {solver!r} does not fit {method!r}: take {' or '.join(fitting)}.")
