"""What is tried of each method, in words: names, what a reader is told, and how it is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


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
