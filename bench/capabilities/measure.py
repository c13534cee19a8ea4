"""Every ability of every method in one framework, tried one after another in this process."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from bench.capabilities.abilities import abilities
from bench.capabilities.outcome import Outcome
from bench.capabilities.subject import Subject

Outcomes = dict[str, dict[str, Outcome]]
"""By method and ability."""


def measure(framework: str, wanted: Callable[[str, str], bool] = lambda method, ability: True) -> Outcomes:
    """The outcomes in one framework; of those abilities alone that are ``wanted``."""
    from bench.capabilities import adjoints, gradients
    from impls.catalog import CHOICES, METHODS

    subject = cache(lambda problem: Subject(framework, problem))
    found: Outcomes = {}
    for row in METHODS.values():
        adjoint = row.interface == "adjoint"
        problem = adjoints.PROBLEM if adjoint else gradients.PROBLEM
        one: Any = (adjoints.Adjoint if adjoint else gradients.Gradient)(subject(problem), row)
        found[row.name] = {}
        for ability in abilities(row, CHOICES):
            if wanted(row.name, ability.name):
                option, named, value = ability.name.partition("=")
                with subject(problem).double():
                    found[row.name][ability.name] = one.choice(option, value) if named else getattr(one, option)()
    return found
