"""Which cells a command line means; every mistake in it is refused in one sentence before any work starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from bench.facts import Facts, listed
from bench.grid import DEVICES, MODES, Cell, Value, cells, nearest, unique

OPTIONS = ("K", "M", "solver", "linear_solver", "tangents", "count")
"""Names that set an option of the method; every other name sets a size of the problem."""


def select(
    preset: str | None = None,
    *,
    framework: Sequence[str] = (),
    mode: Sequence[str] = (),
    device: Sequence[str] = (),
    problem: Sequence[str] = (),
    method: Sequence[str] = (),
    gradient: Sequence[str] = (),
    settings: Sequence[str] = (),
) -> tuple[Cell, ...]:
    """The cells meant by a preset, by names, or by both, with ``settings`` such as ``["width=2048",
    "K=100"]`` applied.

    With a preset the names filter its cells. Without one, a cell is built from default sizes and options for
    each combination of the names that fits; a kind of name that was not given stands for all of its kind, but for
    the usual mode, the cpu, and the methods that fit the problem's usual solver. A setting goes to every chosen cell
    that has it, and at least one must.
    """
    facts = Facts()
    for kind, given, known in (
        ("framework", framework, MODES),
        ("mode", mode, {one for modes in MODES.values() for one in modes}),
        ("device", device, DEVICES),
        ("problem", problem, facts.kinds),
        ("method", method, facts.methods),
        ("gradient", gradient, facts.gradients()),
    ):
        for name in given:
            if name not in known:
                raise ValueError(f"No {kind} {name!r}: {nearest(name, known)}")
    facts.require_fit(problem, method)
    pairs = dict(parse(text) for text in settings)
    if preset is None:
        chosen = combinations(facts, framework, mode, device, problem, method, gradient)
    else:
        chosen = [
            cell
            for cell in cells(preset)
            if cell.framework in (framework or (cell.framework,))
            and cell.mode in (mode or (cell.mode,))
            and cell.device in (device or (cell.device,))
            and cell.problem in (problem or (cell.problem,))
            and cell.method in (method or (cell.method,))
            and cell.gradient in (gradient or (cell.gradient,))
        ]
    if not chosen:
        named = ", ".join(name for group in (framework, mode, device, problem, method, gradient) for name in group)
        where = f"The preset {preset!r} has no cell" if preset else "There is no cell"
        raise ValueError(f"{where} for {named}: leave one of these out.")
    return unique(applied(facts, chosen, pairs))


def combinations(
    facts: Facts,
    framework: Sequence[str],
    mode: Sequence[str],
    device: Sequence[str],
    problem: Sequence[str],
    method: Sequence[str],
    gradient: Sequence[str],
) -> list[Cell]:
    """A cell of defaults for each combination of the names that fits."""
    found = []
    for one_framework in framework or MODES:
        for one_problem in problem or facts.kinds:
            for one_method in facts.fitting(one_problem):
                if one_method not in method if method else not facts.usual(one_problem, one_method):
                    continue
                explicit = facts.kinds[one_problem] == "explicit"
                for through in [one_method] if explicit else gradient or ["backprop"]:
                    if through in (gradient or [through]):
                        found += [
                            Cell(one_framework, one_problem, one_method, gradient=through, mode=one, device=where)
                            for one in MODES[one_framework]
                            if one in (mode or MODES[one_framework][:1])
                            for where in device or DEVICES[:1]
                        ]
    return found


def applied(facts: Facts, chosen: Iterable[Cell], pairs: Mapping[str, Value]) -> list[Cell]:
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
                f"The option {name!r} is not one of {listed(sorted({cell.method for cell in chosen}))}: "
                f"methods that take it are {', '.join(takers) or 'none'}."
            )
        elif not any(facts.takes(cell, name, value) for cell in chosen):
            methods = sorted({cell.method for cell in chosen if name in facts.options(cell)})
            raise ValueError(
                f"The solver {value!r} does not fit {listed(methods)}: leave it out, or name another method."
            )
    return [_with(facts, cell, pairs) for cell in chosen]


def _require_size(facts: Facts, chosen: Sequence[Cell], name: str) -> None:
    """Refuse a name that is a size of none of the chosen problems."""
    problems = sorted({cell.problem for cell in chosen})
    known = {size for problem in problems for size in facts.sizes(problem)}
    if name not in known:
        raise ValueError(f"No size or option {name!r} for {listed(problems)}: {nearest(name, known | set(OPTIONS))}")


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


def parse(text: str) -> tuple[str, Value]:
    """``name=value`` with the value as an int where it reads as one, else as a float, else as text."""
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise ValueError(f"The setting {text!r} is not of the form name=value: write it as width=2048.")
    for kind in (int, float):
        try:
            number = kind(value)
        except ValueError:
            continue
        if number != number or number in (float("inf"), float("-inf")):
            raise ValueError(f"The setting {text!r} is not finite: give a finite number.")
        return name, number
    return name, value
