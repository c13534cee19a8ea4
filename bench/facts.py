"""What ``impls`` says of its methods and problems, read when asked for and kept nowhere in ``bench``."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from bench.grid import Cell, Value
from bench.options import solvers, usual_solver


class Facts:
    """What ``impls`` says of its methods and problems, read once."""

    def __init__(self) -> None:
        from impls.catalog import CHOICES, METHODS
        from impls.problems import KIND, PROBLEMS

        self.choices: Mapping[str, Sequence[str]] = CHOICES
        self.methods: Mapping[str, Any] = METHODS
        self.kinds: Mapping[str, str] = {name: KIND[name] for name in PROBLEMS}
        self._problems = PROBLEMS

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
        return option in self.options(cell) and (option != "solver" or value in solvers(self.methods[cell.method]))

    def usual(self, problem: str, method: str) -> bool:
        """Whether a method fits the solver that a problem is usually solved by; the others are for who names them."""
        return self.kinds[problem] == "explicit" or usual_solver(problem) in solvers(self.methods[method])

    def require_fit(self, problems: Sequence[str], methods: Sequence[str]) -> None:
        """Refuse a problem that fits none of the named methods, and a method that fits no named problem."""
        for problem in problems:
            if methods and not set(methods) & set(self.fitting(problem)):
                raise ValueError(
                    f"The problem {problem!r} is {self.kinds[problem]}, "
                    f"which {listed(methods)} does not fit: "
                    f"methods that fit are {', '.join(self.fitting(problem))}."
                )
        for method in methods:
            if problems and not any(method in self.fitting(problem) for problem in problems):
                fits = [problem for problem in self.kinds if method in self.fitting(problem)]
                raise ValueError(
                    f"The method {method!r} is {_article(self.methods[method].interface)} "
                    f"and does not fit {listed(problems)}: "
                    f"problems that fit are {', '.join(fits)}."
                )


def listed(names: Sequence[str]) -> str:
    return " or ".join(repr(name) for name in names)


def _article(interface: str) -> str:
    return f"an {interface} method" if interface.startswith("a") else f"a {interface} method"
