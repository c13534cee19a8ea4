"""What is tried of each method, in words: names, what a reader is told, and how it is judged; and the document that the
outcomes are kept in, beside each method's facts: one JSON file that the page reads."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.capabilities.trial import Outcome
from bench.instruments import machine, sources


@dataclass(frozen=True)
class Ability:
    """name: as in the file. words: what is tried, for a table's row. how: what is run, and what its numbers must be."""

    name: str
    words: str
    how: str


ADJOINT = (
    Ability(
        "reverse",
        "reverse mode",
        "backprop through it returns the method's closed form at its own numbers of steps",
    ),
    Ability(
        "true",
        "true gradient, once its solves have converged",
        "that gradient is the one at the fixed point itself",
    ),
    Ability("forward", "forward mode", "a directional derivative through it is that closed form along the direction"),
    Ability(
        "factored",
        "forward gradient with factored tangents",
        "a forward gradient through it, along a tangent of rank one, is the closed form's",
    ),
    Ability(
        "reverse_over_reverse",
        "second derivative, reverse over reverse (double backward)",
        "the gradient of the gradient along a direction is the central difference of the true gradient",
    ),
    Ability(
        "forward_over_reverse",
        "second derivative, forward over reverse",
        "the directional derivative of the gradient is that central difference",
    ),
    Ability(
        "reverse_over_forward",
        "second derivative, reverse over forward",
        "the gradient of the directional derivative is that central difference",
    ),
    Ability(
        "compiled",
        "gradient call compiled",
        "the call that returns loss and gradient, compiled as one (torch.compile with the backend aot_eager, jax.jit), "
        "returns the closed form",
    ),
    Ability(
        "compiled_loss",
        "loss compiled, differentiated from outside",
        "the gradient of the compiled loss, as a training loop takes it, is the closed form",
    ),
    Ability(
        "samples",
        "gradients of single samples",
        "vmap of the framework's function transform grad returns each sample's closed form",
    ),
)
"""Of a way in which a fixed point passes its gradient on."""

GRADIENT = (
    Ability("reverse", "gradient", "the call returns the method's closed form"),
    Ability("true", "true gradient", "what it returns is the true gradient"),
    Ability(
        "again",
        "derivative of its gradient",
        "reverse mode through the call returns the central difference of what it must return",
    ),
    Ability(
        "compiled",
        "gradient call compiled",
        "the call, compiled as one (torch.compile with the backend aot_eager, jax.jit), returns the closed form",
    ),
    Ability("samples", "gradients of single samples", "vmap of the call returns each sample's closed form"),
)
"""Of a way in which a whole loss is differentiated."""

KINDS: Mapping[str, tuple[str, str]] = {
    "solver": ("forward solver", "with this forward solver, reverse mode returns the closed form of both"),
    "linear_solver": ("linear solver", "with this linear solver, reverse mode returns the closed form of both"),
    "tangents": ("tangents", "along tangents of this law, the call returns their product with the closed form"),
}
"""Options whose values are names."""


def choices(row: Any, known: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """(option, value) for each value that an option of a method's row may be named."""
    return [(option, value) for option in row.options if option in KINDS for value in known[option]]


def abilities(row: Any, known: Mapping[str, Sequence[str]]) -> list[Ability]:
    """All that is tried of a method; ``known`` are the values of options that are names."""
    own = ADJOINT if row.interface == "adjoint" else GRADIENT
    named = [
        Ability(f"{option}={value}", f"{KINDS[option][0]} {value.replace('_', ' ')}", KINDS[option][1])
        for option, value in choices(row, known)
    ]
    return [*own, *named]


# The document -----------------------------------------------------------------------------------------------------

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


def document(outcomes: Mapping[str, Mapping[str, Mapping[str, Outcome]]]) -> dict[str, Any]:
    """The whole of it; ``outcomes`` by framework, method and ability."""
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
