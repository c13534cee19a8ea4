"""The catalogue as objects: each method's facts, and what was found when its abilities were tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from reports.labels import label

MARKS = {"yes": "✔", "no": "✘", "refused": "⊘", "wrong": "‼"}
"""A sign beside each outcome, so that none is told by its place or colour alone."""


@dataclass(frozen=True)
class Tried:
    """outcome: one of ``MARKS``. reason: why it is not yes."""

    outcome: str
    reason: str

    @property
    def mark(self) -> str:
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


@dataclass(frozen=True)
class Method:
    """Facts of ``impls.catalog`` as texts; exact: equal to the true gradient once its solves have converged."""

    name: str
    interface: str
    exact: bool
    equation: str
    formula: str
    memory: str
    source: str
    options: tuple[str, ...]
    solvers: tuple[str, ...]
    abilities: tuple[Ability, ...]

    @property
    def label(self) -> str:
        """The method's name as the page's other parts have it."""
        return label(self.name, {})

    @property
    def rows(self) -> list[tuple[str, Mapping[str, Tried]]]:
        """Words and outcomes of each line of its table; the values of one option that came out alike share a line."""
        found: list[tuple[str, Mapping[str, Tried]]] = []
        last = ""
        for one in self.abilities:
            if one.value and one.kind == last and found[-1][1] == one.found:
                found[-1] = (f"{found[-1][0]}, {one.value}", one.found)
            else:
                found.append((one.words, one.found))
            last = one.kind
        return found


@dataclass(frozen=True)
class Catalogue:
    """Every method, and with what it was tried. impls: digest of the sources."""

    frameworks: tuple[str, ...]
    versions: Mapping[str, str]
    impls: str
    methods: tuple[Method, ...]
    marks: ClassVar[Mapping[str, str]] = MARKS

    @property
    def kinds(self) -> list[tuple[str, str, list[Method]]]:
        """The two questions that methods answer, each with its methods."""
        words = {
            "gradient": "How is the whole loss differentiated?",
            "adjoint": "How does a fixed point pass its gradient on?",
        }
        return [(kind, text, [one for one in self.methods if one.interface == kind]) for kind, text in words.items()]

    def how(self, methods: list[Method]) -> dict[str, str]:
        """What was run for each ability of these methods: words by how; the values of one option together."""
        return {ability.how: ability.kind for one in reversed(methods) for ability in reversed(one.abilities)}
