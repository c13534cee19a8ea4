"""The methods of a comparison as cells of the grid, refused before any work where they do not exist."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bench.cells import STEPS, TERMS, Cell, require_solver
from bench.failures import NotApplicable

Asked = str | tuple[str, Mapping[str, Any]]
"""A method by its name, or with options: ``("ift", {"linear_solver": "gmres", "M": 30})``."""

EXPLICIT: tuple[Asked, ...] = ("backprop", "forward_gradient", ("forward_gradient", {"tangents": "given"}))
IMPLICIT: tuple[Asked, ...] = ("unrolled", "ift", ("ift", {"linear_solver": "gmres"}), "jfb")


def cells(
    asked: Iterable[Asked] | None,
    *,
    framework: str,
    dtype: str,
    name: str,
    implicit: bool,
    K: int | None,
    digest: str = "",
) -> list[Cell]:
    """One cell a method, in the order they were asked for, every option filled in. digest: stands among the sizes as
    ``model``, so that no cell of another model has the same id.

    Raises ``LookupError`` for an unknown method, option or choice, ``ValueError`` for one that does not fit.
    """
    if isinstance(asked, str):
        raise ValueError(f'methods must be a list, such as ["{asked}"], not a text.')
    if asked is not None and not isinstance(asked, Iterable):
        raise ValueError(f'methods must be a list of names and pairs, such as ["ift", "jfb"], not {asked!r}.')
    chosen = list(asked if asked is not None else IMPLICIT if implicit else EXPLICIT)
    if not chosen:
        raise ValueError("methods is an empty list: name at least one, or leave it out for the usual ones.")
    if K is not None:
        _whole("K", K)
    if K is not None and not implicit:
        raise ValueError("K counts the steps of a fixed point: an explicit model has none, so leave K out.")
    found, sizes = [], {"model": digest} if digest else {}
    for one in chosen:
        method, options = _pair(one)
        filled = _filled(method, options, implicit, K)
        gradient = "backprop" if implicit else method
        found.append(Cell(framework, name, method, sizes, filled, gradient=gradient, dtype=dtype))
    return list(dict.fromkeys(found))


def _pair(one: Any) -> tuple[str, Mapping[str, Any]]:
    if isinstance(one, str):
        return one, {}
    if isinstance(one, tuple | list) and len(one) == 2 and isinstance(one[0], str) and isinstance(one[1], Mapping):
        return one[0], one[1]
    raise ValueError(f'A method is a name or a pair such as ("ift", {{"M": 30}}), not {one!r}.')


def _filled(method: str, options: Mapping[str, Any], implicit: bool, K: int | None) -> dict[str, Any]:
    """Every option of a method."""
    from impls.catalog import CHOICES, METHODS
    from impls.names import pick

    row = pick("method", method, METHODS)
    fitting = [name for name, other in METHODS.items() if (other.interface == "adjoint") == implicit]
    if method not in fitting:
        kind = "implicit" if implicit else "explicit"
        raise ValueError(f"{method} does not fit an {kind} model: take {', '.join(fitting)}.")
    for name, value in options.items():
        pick(f"option of {method}", name, dict.fromkeys(row.options))
        if name in CHOICES:
            pick(f"{name} of {method}", value, dict.fromkeys(CHOICES[name]))
        else:
            _whole(f"{name} of {method}", value)
    if not implicit:
        return ({"tangents": "gaussian"} if "tangents" in row.options else {}) | dict(options)
    return _solved(row, method, dict(options), K)


def _solved(row: Any, method: str, options: dict[str, Any], K: int | None) -> dict[str, Any]:
    """Solvers and their steps. K keeps the caller's number for Picard steps alone: Newton's are another thing."""
    solver = options.get("solver", row.solvers[0])
    try:
        require_solver(method, solver)
    except NotApplicable as error:
        raise ValueError(str(error)) from None
    filled: dict[str, Any] = {"K": K or STEPS[solver]}
    if solver != "picard":
        filled |= {"K": STEPS[solver], "solver": solver}
    filled |= {name: value for name, value in options.items() if name != "solver"}
    if "linear_solver" in row.options:
        kind = filled.setdefault("linear_solver", "picard")
        if kind == "dense" and "M" in options:
            raise ValueError("The linear solver dense has no steps: leave M out.")
        if kind != "dense":
            filled.setdefault("M", filled["K"] if kind == "picard" and solver == "picard" else TERMS[kind])
    return filled


def _whole(what: str, value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{what} must be a whole number from 1 up, not {value!r}.")
