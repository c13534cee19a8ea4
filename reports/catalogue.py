"""The catalogue of methods, from the file that `gradratio capabilities` writes, as a part of the page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from reports.clean import Unusable, quoted
from reports.files import shown
from reports.methods import MARKS, Ability, Catalogue, Method, Tried
from reports.part import Part
from reports.rows import parse

SCHEMA = 1

MOST = 100
"""Methods, and abilities of one method."""

AGAIN = "run `gradratio capabilities`"


def read(path: Path, notes: list[str]) -> Catalogue | None:
    """The catalogue in a file; None where it cannot be used, and then ``notes`` gets one sentence on why."""
    try:
        return _catalogue(parse(path.read_bytes()))
    except FileNotFoundError:
        why = "it does not exist"
    except (OSError, ValueError) as error:
        why = str(error) if isinstance(error, Unusable) else "it cannot be read"
    notes.append(f"The catalogue {shown(path)} is left out: {why}; {AGAIN}.")
    return None


def part(catalogue: Catalogue) -> Part:
    """The part of the page."""
    rows = [
        {"method": one.name, "ability": ability.name, "tried": ability.words, "framework": name}
        | {"outcome": tried.outcome, "reason": tried.reason, "how": ability.how}
        for one in catalogue.methods
        for ability in one.abilities
        for name, tried in ability.found.items()
    ]
    return Part("catalogue", "The methods", "catalogue.html.j2", catalogue, tables={"catalogue": pd.DataFrame(rows)})


def _catalogue(found: Any) -> Catalogue:
    table = _table(found, "the document")
    if table.get("kind") != "catalog":
        raise Unusable("it is no catalogue of methods")
    if table.get("schema") != SCHEMA or isinstance(table["schema"], bool):
        raise Unusable(f"it has schema {quoted(table.get('schema'))}, but this report reads schema {SCHEMA}")
    names = _texts(table, "frameworks")
    versions = {name: text for name, text in _table(table.get("versions"), "its versions").items() if text is not None}
    if not all(isinstance(text, str) for text in versions.values()):
        raise Unusable("it has a version that is no text")
    methods = tuple(_method(one, names) for one in _many(table, "methods"))
    if len({one.name for one in methods}) < len(methods):
        raise Unusable("it names a method twice")
    return Catalogue(names, versions, _text(table, "impls"), methods)


def _method(found: Any, frameworks: tuple[str, ...]) -> Method:
    table = _table(found, "each method")
    name = _text(table, "name")
    if not name.isidentifier():
        raise Unusable(f"its method {quoted(name)} has no name")
    if table.get("interface") not in ("gradient", "adjoint"):
        raise Unusable(f"its method {name!r} has the unknown interface {quoted(table.get('interface'))}")
    if not isinstance(table.get("exact"), bool):
        raise Unusable(f"its method {name!r} does not say whether it is exact")
    return Method(
        name=name,
        interface=table["interface"],
        exact=table["exact"],
        equation=_text(table, "equation"),
        formula=_text(table, "formula"),
        memory=_text(table, "memory"),
        source=_text(table, "source"),
        options=_texts(table, "options"),
        solvers=_texts(table, "solvers"),
        abilities=tuple(_ability(one, frameworks) for one in _many(table, "abilities")),
    )


def _ability(found: Any, frameworks: tuple[str, ...]) -> Ability:
    table = _table(found, "each ability")
    tried = {name: _table(table.get(name), f"each ability in {quoted(name)}") for name in frameworks}
    for one in tried.values():
        if one.get("outcome") not in tuple(MARKS):
            raise Unusable(f"it has the unknown outcome {quoted(one.get('outcome'))}")
    outcomes = {name: Tried(one["outcome"], _text(one, "reason")) for name, one in tried.items()}
    return Ability(_text(table, "name"), _text(table, "words"), _text(table, "how"), outcomes)


def _table(found: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(found, dict):
        raise Unusable(f"{what} must be a table")
    return found


def _text(table: Mapping[str, Any], name: str) -> str:
    if not isinstance(table.get(name), str):
        raise Unusable(f"it needs {name!r} as a text")
    return table[name]


def _many(table: Mapping[str, Any], name: str) -> list[Any]:
    if not isinstance(table.get(name), list) or not 0 < len(table[name]) <= MOST:
        raise Unusable(f"it needs {name!r} as a list of 1 to {MOST}")
    return table[name]


def _texts(table: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = table.get(name)
    if not isinstance(found, list) or len(found) > MOST or not all(isinstance(one, str) for one in found):
        raise Unusable(f"it needs {name!r} as a list of texts")
    return tuple(found)
