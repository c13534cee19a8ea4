"""Which cells flags and names mean; every mistake in them is refused in one sentence before any work starts."""

from __future__ import annotations

import argparse
import difflib
import inspect
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bench import older
from bench.cells import DEVICES, MODES, Cell, Value, number, parse
from bench.presets import PRESETS, unique

NAMES = ("framework", "mode", "device", "problem", "method", "gradient")
"""Kinds of names that choose cells."""

OPTIONS = ("K", "M", "solver", "linear_solver", "tangents", "count")
"""Names that set an option of the method; every other name sets a size of the problem."""


def add_flags(command: argparse.ArgumentParser, preset: str | None = None) -> None:
    """Flags that choose cells, with ``preset`` as the one that is meant where none is named."""
    words = "a named list of cells, such as smoke or quick; the names below filter it"
    command.add_argument("--preset", help=words + (f" (default: {preset})" if preset else ""))
    command.set_defaults(usual=preset)
    command.add_argument(
        "--cell", action="append", default=[], metavar="ID", help="one cell, as `list` prints it; repeatable"
    )
    for kind in NAMES:
        command.add_argument(
            f"--{kind}", action="append", default=[], metavar="NAME", help="repeatable or comma separated"
        )
    command.add_argument(
        "--set",
        action="extend",
        nargs="+",
        default=[],
        metavar="NAME=VALUE",
        help="sizes and options, such as width=2048 K=100",
    )


def chosen(given: argparse.Namespace) -> tuple[Cell, ...]:
    """The cells that the flags mean."""
    names = {kind: [name for text in getattr(given, kind) for name in text.split(",") if name] for kind in NAMES}
    settings = [text for many in given.set for text in many.split(",") if text]
    preset = given.preset or (None if given.cell else given.usual)
    return select(preset, cells=given.cell, settings=settings, **names)


def says_which(given: argparse.Namespace) -> bool:
    """Whether any flag chooses cells."""
    return bool(given.preset or given.cell or any(getattr(given, kind) for kind in NAMES))


def select(
    preset: str | None = None, *, cells: Sequence[str] = (), settings: Sequence[str] = (), **names: Sequence[str]
) -> tuple[Cell, ...]:
    """The cells meant by a preset, by ids, by names, or by several of them.

    Args:
        preset: a named list of cells, which the names filter.
        cells: ids, beside the preset's cells; the names filter them too.
        settings: sizes and options such as ``["width=2048", "K=100"]``. Each goes to every chosen cell that has it, and
            at least one must.
        names: sequences by kind, one of ``NAMES``. Without preset and ids, a cell is built from default sizes and
            options for each combination of the names that fits; a kind that was not given stands for all of its kind,
            but for the usual mode, the cpu, and the methods that fit the problem's usual solver.

    Raises:
        ValueError: in one sentence, for a name that there is not, for names that do not fit, and for a setting that
            belongs nowhere.
    """
    facts = Facts()
    wanted = {kind: names.pop(kind, ()) for kind in NAMES}
    if names:
        raise TypeError(f"select() knows no {', '.join(names)}: known are {', '.join(NAMES)}.")
    for kind, given in wanted.items():
        for name in given:
            facts.require(kind, name)
    facts.require_fit(wanted["problem"], wanted["method"])
    pairs = dict(setting(text) for text in settings)
    if preset is None and not cells:
        chosen = _combinations(facts, wanted)
    else:
        known = [*(preset_cells(preset) if preset is not None else ()), *(_known(facts, text) for text in cells)]
        chosen = [
            cell for cell in known if all(not given or getattr(cell, kind) in given for kind, given in wanted.items())
        ]
    if not chosen:
        told = ", ".join(name for given in wanted.values() for name in given)
        where = f"The preset {preset!r} has no cell" if preset else "There is no cell"
        raise ValueError(f"{where} for {told}: leave one of these out.")
    return unique(_applied(facts, chosen, pairs))


def preset_cells(name: str) -> tuple[Cell, ...]:
    """The cells of a preset; ``ValueError`` names the nearest one where there is none of this name."""
    if name not in PRESETS:
        raise ValueError(f"No preset {name!r}: {nearest(name, PRESETS)}")
    return PRESETS[name].cells


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of an error sentence: the names that were probably meant, else all there are."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    return f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(names)}."


def setting(text: str) -> tuple[str, Value]:
    """``name=value``, with the value as a number where it reads as one."""
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise ValueError(f"The setting {text!r} is not of the form name=value: write it as width=2048.")
    found = number(value)
    if isinstance(found, float) and not math.isfinite(found):
        raise ValueError(f"The setting {text!r} is not finite: give a finite number.")
    return name, found


class Facts:
    """What ``impls`` says of its methods and problems, read once."""

    def __init__(self) -> None:
        from impls.catalog import CHOICES, METHODS
        from impls.problems import KIND, PROBLEMS

        self.choices: Mapping[str, Sequence[str]] = CHOICES
        self.methods: Mapping[str, Any] = METHODS
        self.kinds: Mapping[str, str] = {name: KIND[name] for name in PROBLEMS}
        self._problems = PROBLEMS

    def require(self, kind: str, name: str) -> None:
        """Refuse a name that there is not, of one of ``NAMES``."""
        known: Mapping[str, Iterable[str]] = {
            "framework": MODES,
            "mode": {one for modes in MODES.values() for one in modes},
            "device": DEVICES,
            "problem": self.kinds,
            "method": self.methods,
            "gradient": self.gradients(),
        }
        if name not in known[kind]:
            raise ValueError(f"No {kind} {name!r}: {nearest(name, known[kind])}")

    def gradients(self) -> list[str]:
        """Names of the methods that differentiate a whole loss."""
        return [name for name, row in self.methods.items() if row.interface == "gradient"]

    def fitting(self, problem: str) -> list[str]:
        """The methods that a problem takes: gradients for an explicit one, adjoints for an implicit one."""
        wanted = "gradient" if self.kinds[problem] == "explicit" else "adjoint"
        return [name for name, row in self.methods.items() if row.interface == wanted]

    def sizes(self, problem: str) -> dict[str, Value]:
        """Sizes of a problem with their defaults."""
        parameters = inspect.signature(self._problems[problem]).parameters.values()
        return {one.name: one.default for one in parameters if one.name != "seed" and one.default is not one.empty}

    def options(self, cell: Cell) -> set[str]:
        """Options that a cell takes: its method's, and those of the gradient that runs through it."""
        return set(self.methods[cell.method].options) | set(self.methods[cell.gradient].options)

    def takes(self, cell: Cell, option: str, value: Value) -> bool:
        """Whether a cell has an option, and its method fits the value where that is a forward solver."""
        return option in self.options(cell) and (
            option != "solver" or value in older.solvers(self.methods[cell.method])
        )

    def usual(self, problem: str, method: str) -> bool:
        """Whether a method fits the solver that a problem is usually solved by; the others are for who names them."""
        return self.kinds[problem] == "explicit" or older.facts(problem).solver in older.solvers(self.methods[method])

    def require_fit(self, problems: Sequence[str], methods: Sequence[str]) -> None:
        """Refuse a problem that fits none of the named methods, and a method that fits no named problem."""
        for problem in problems:
            if methods and not set(methods) & set(self.fitting(problem)):
                raise ValueError(
                    f"The problem {problem!r} is {self.kinds[problem]}, "
                    f"which {_listed(methods)} does not fit: "
                    f"methods that fit are {', '.join(self.fitting(problem))}."
                )
        for method in methods:
            if problems and not any(method in self.fitting(problem) for problem in problems):
                fits = [problem for problem in self.kinds if method in self.fitting(problem)]
                raise ValueError(
                    f"The method {method!r} is {_article(self.methods[method].interface)} "
                    f"and does not fit {_listed(problems)}: "
                    f"problems that fit are {', '.join(fits)}."
                )


def _combinations(facts: Facts, names: Mapping[str, Sequence[str]]) -> list[Cell]:
    """A cell of defaults for each combination of the names that fits."""
    gradients, methods = names["gradient"], names["method"]
    found = []
    for framework in names["framework"] or MODES:
        modes = [mode for mode in MODES[framework] if mode in (names["mode"] or MODES[framework][:1])]
        for problem in names["problem"] or facts.kinds:
            for method in facts.fitting(problem):
                if method not in methods if methods else not facts.usual(problem, method):
                    continue
                through = [method] if facts.kinds[problem] == "explicit" else gradients or ["backprop"]
                found += [
                    Cell(framework, problem, method, gradient=gradient, mode=mode, device=device)
                    for gradient in through
                    if gradient in (gradients or [gradient])
                    for mode in modes
                    for device in names["device"] or DEVICES[:1]
                ]
    return found


def _known(facts: Facts, text: str) -> Cell:
    """The cell of an id, refused where it names what there is not. A gradient method runs through itself."""
    cell = parse(text)
    if cell.method in facts.gradients():
        cell = replace(cell, gradient=cell.method)
    for kind in NAMES:
        facts.require(kind, getattr(cell, kind).partition(":")[0])  # cuda:0 is one of cuda
    if cell.mode not in MODES[cell.framework]:
        raise ValueError(f"{cell.framework} has no mode {cell.mode!r}: {nearest(cell.mode, MODES[cell.framework])}")
    facts.require_fit([cell.problem], [cell.method])
    return _applied(facts, [cell], {**cell.sizes, **cell.options})[0]


def _applied(facts: Facts, chosen: Iterable[Cell], pairs: Mapping[str, Value]) -> list[Cell]:
    """The cells with each setting put where it belongs, and a sentence for one that belongs nowhere."""
    chosen = list(chosen)
    for name, value in pairs.items():
        if name in facts.choices and value not in facts.choices[name]:
            raise ValueError(f"No {name} {value!r}: {nearest(str(value), facts.choices[name])}")
        if name not in OPTIONS:
            _require_size(facts, chosen, name)
        elif not any(name in facts.options(cell) for cell in chosen):
            takers = [method for method, row in facts.methods.items() if name in row.options]
            raise ValueError(
                f"The option {name!r} is not one of {_listed(sorted({cell.method for cell in chosen}))}: "
                f"methods that take it are {', '.join(takers) or 'none'}."
            )
        elif not any(facts.takes(cell, name, value) for cell in chosen):
            methods = sorted({cell.method for cell in chosen if name in facts.options(cell)})
            raise ValueError(
                f"The solver {value!r} does not fit {_listed(methods)}: leave it out, or name another method."
            )
    return [_with(facts, cell, pairs) for cell in chosen]


def _require_size(facts: Facts, chosen: Sequence[Cell], name: str) -> None:
    """Refuse a name that is a size of none of the chosen problems."""
    problems = sorted({cell.problem for cell in chosen})
    known = {size for problem in problems for size in facts.sizes(problem)}
    if name not in known:
        raise ValueError(f"No size or option {name!r} for {_listed(problems)}: {nearest(name, known | set(OPTIONS))}")


def _with(facts: Facts, cell: Cell, pairs: Mapping[str, Value]) -> Cell:
    """One cell with the settings that it has."""
    defaults = facts.sizes(cell.problem)
    sizes = {name: _like(defaults[name], name, value) for name, value in pairs.items() if name in defaults}
    own = {name: _like(_example(name), name, value) for name, value in pairs.items() if facts.takes(cell, name, value)}
    return replace(cell, sizes={**cell.sizes, **sizes}, options={**cell.options, **own})


def _example(option: str) -> Value:
    """A value of the type that an option has."""
    return 1 if option in ("K", "M", "count") else ""


def _like(example: Value, name: str, value: Value) -> Value:
    """The value in the type of ``example``, so that gamma=1 and gamma=1.0 are one cell; counts start at 1."""
    if isinstance(example, float) and isinstance(value, int | float):
        return float(value)
    if isinstance(example, bool | str) or example is None:
        return value
    if isinstance(example, int) and isinstance(value, int):
        if value < 1:
            raise ValueError(f"{name}={value} is too small: give a whole number of at least 1.")
        return value
    raise ValueError(
        f"{name}={value} is not a {'whole ' if isinstance(example, int) else ''}number: "
        f"give one, such as {name}={example}."
    )


def _listed(names: Sequence[str]) -> str:
    return " or ".join(repr(name) for name in names)


def _article(interface: str) -> str:
    return f"an {interface} method" if interface.startswith("a") else f"a {interface} method"
