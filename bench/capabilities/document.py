"""The document that the outcomes are kept in, beside each method's facts: one JSON file that the page reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.capabilities.abilities import abilities
from bench.capabilities.measure import Outcomes
from bench.instruments import machine, sources

SCHEMA = 1

FACTS = ("name", "interface", "exact", "equation", "formula", "memory", "source", "options", "solvers")
"""What is taken of a row of the catalogue; the functions in it are no data."""


def facts() -> list[dict[str, Any]]:
    """The facts of every method, and what is tried of it: ability, words, how it is judged."""
    from impls.catalog import CHOICES, METHODS

    found = []
    for row in METHODS.values():
        one = {name: getattr(row, name) for name in FACTS}
        one = {name: list(value) if isinstance(value, tuple) else value for name, value in one.items()}
        found.append(one | {"abilities": [asdict(ability) for ability in abilities(row, CHOICES)]})
    return found


def document(outcomes: Mapping[str, Outcomes]) -> dict[str, Any]:
    """The whole of it; ``outcomes`` by framework."""
    methods = []
    for one in facts():
        tried = [
            ability | {name: asdict(found[one["name"]][ability["name"]]) for name, found in outcomes.items()}
            for ability in one.pop("abilities")
        ]
        methods.append(one | {"abilities": tried})
    head = {"schema": SCHEMA, "kind": "catalog", "impls": sources.impls_digest(), "versions": machine.versions()}
    return head | {"frameworks": list(outcomes), "methods": methods}


def write(path: Path, made: Mapping[str, Any]) -> None:
    """The document as a file whose lines tell in a diff what changed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(made, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
