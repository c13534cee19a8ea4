"""The catalogue of methods, from the file that `gradratio capabilities` writes, as a part of the page: each method's
facts, and what was found when its abilities were tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import msgspec
import pandas as pd
from msgspec import Meta, Struct

from bench.rows import Name, Text, printable, printable_only, told_path
from reports.labels import label
from reports.part import Part

MARKS = {"yes": "✔", "no": "✘", "refused": "⊘", "wrong": "‼"}
"""A sign beside each outcome, so that none is told by its place or colour alone."""

QUESTIONS = {
    "gradient": "How is the whole loss differentiated?",
    "adjoint": "How does a fixed point pass its gradient on?",
}
"""The two that methods answer."""

MOST = 100
"""Methods, and abilities of one method."""

AGAIN = "run `gradratio capabilities`"


class Tried(Struct, frozen=True):
    """outcome: one of ``MARKS``. reason: why it is not yes."""

    outcome: Literal["yes", "no", "refused", "wrong"]
    reason: Text

    @property
    def mark(self) -> str:
        """The sign of the outcome."""
        return MARKS[self.outcome]


@dataclass(frozen=True)
class Ability:
    """words: what was tried. how: what was run and what its numbers had to be. found: the outcome by framework."""

    name: str
    words: str
    how: str
    found: Mapping[str, Tried]

    @property
    def value(self) -> str:
        """The value of an option that was tried; empty for what is no option's."""
        return self.name.partition("=")[2].replace("_", " ")

    @property
    def kind(self) -> str:
        """The words without that value."""
        return self.words.removesuffix(self.value).strip()


class Method(Struct, kw_only=True, dict=True):
    """Facts of ``impls.catalog`` as texts; exact: equal to the true gradient once its solves have converged. A line of
    ``abilities`` holds name, words and how as texts, and beside them what each framework came to."""

    name: Annotated[str, Meta(max_length=64, pattern=r"\A[^\W\d]\w*\Z")]
    interface: Literal["gradient", "adjoint"]
    exact: bool
    equation: Text
    formula: Text
    memory: Text
    source: Text
    options: Annotated[tuple[Text, ...], Meta(max_length=MOST)]
    solvers: Annotated[tuple[Text, ...], Meta(max_length=MOST)]
    abilities: Annotated[tuple[dict[Name, Text | Tried], ...], Meta(min_length=1, max_length=MOST)]

    @cached_property
    def tried(self) -> list[Ability]:
        """The abilities; ``ValueError`` where one has no words."""
        found = []
        for one in self.abilities:
            name, words, how = (one.get(text) for text in ("name", "words", "how"))
            if not (isinstance(name, str) and isinstance(words, str) and isinstance(how, str)):
                raise ValueError(f"an ability of {self.name} needs name, words and how as texts")
            outcomes = {place: tried for place, tried in one.items() if isinstance(tried, Tried)}
            found.append(Ability(name, words, how, outcomes))
        return found

    @property
    def label(self) -> str:
        """The method's name as the page's other parts have it."""
        return label(self.name, {})

    @property
    def rows(self) -> list[tuple[str, Mapping[str, Tried]]]:
        """Words and outcomes of each line of its table; the values of one option that came out alike share a line."""
        found: list[tuple[str, Mapping[str, Tried]]] = []
        last = ""
        for one in self.tried:
            if one.value and one.kind == last and found[-1][1] == one.found:
                found[-1] = (f"{found[-1][0]}, {one.value}", one.found)
            else:
                found.append((one.words, one.found))
            last = one.kind
        return found


class Catalogue(Struct, kw_only=True, tag_field="kind", tag="catalog"):
    """Every method, and with what it was tried. impls: digest of the sources."""

    schema: Literal[1]
    frameworks: Annotated[tuple[Name, ...], Meta(max_length=MOST)]
    versions: dict[Name, Text | None]
    impls: Text
    methods: Annotated[tuple[Method, ...], Meta(min_length=1, max_length=MOST)]
    marks: ClassVar[Mapping[str, str]] = MARKS

    def __post_init__(self) -> None:
        if len({one.name for one in self.methods}) < len(self.methods):
            raise ValueError("it names a method twice")
        for one in (ability for method in self.methods for ability in method.tried):
            if lost := set(self.frameworks) - one.found.keys():
                raise ValueError(f"its ability {one.name} was not tried in {', '.join(sorted(lost))}")

    @property
    def kinds(self) -> list[tuple[str, str, list[Method]]]:
        """The two questions that methods answer, each with its methods."""
        return [
            (kind, text, [one for one in self.methods if one.interface == kind]) for kind, text in QUESTIONS.items()
        ]

    def how(self, methods: list[Method]) -> dict[str, str]:
        """What was run for each ability of these methods: words by how; the values of one option together."""
        return {ability.how: ability.kind for one in reversed(methods) for ability in reversed(one.tried)}


def read(path: Path, notes: list[str]) -> Catalogue | None:
    """The catalogue in a file; None where it cannot be used, and then ``notes`` gets one sentence on why."""
    try:
        return printable_only(msgspec.json.decode(path.read_bytes(), type=Catalogue))
    except FileNotFoundError:
        why = "it does not exist"
    except msgspec.ValidationError as error:
        why = f"it is no catalogue of methods ({printable(str(error), 200)})"
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        why = "it is damaged, no JSON"
    except OSError:
        why = "it cannot be read"
    notes.append(f"The catalogue {told_path(path)} is left out: {why}; {AGAIN}.")
    return None


def part(catalogue: Catalogue) -> Part:
    """The part of the page."""
    rows = [
        {"method": one.name, "ability": ability.name, "tried": ability.words, "framework": name}
        | {"outcome": ability.found[name].outcome, "reason": ability.found[name].reason, "how": ability.how}
        for one in catalogue.methods
        for ability in one.tried
        for name in catalogue.frameworks
    ]
    return Part("catalogue", "The methods", "catalogue.html.j2", catalogue, tables={"catalogue": pd.DataFrame(rows)})
