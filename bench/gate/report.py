"""What a gate found, and the exit status that it means."""

from __future__ import annotations

from dataclasses import dataclass

from bench.gate.judge import BETTER, TIMES, UNDECIDED, WORSE, Finding
from bench.gate.sides import Side


@dataclass(frozen=True)
class Report:
    """findings: of base against head. control: of base against itself. cells: the ids of those that both sides should
    be able to do. timed: the ids of those among them that were set against each other. pairs: of processes, a look."""

    base: Side
    head: Side
    findings: tuple[Finding, ...]
    control: tuple[Finding, ...]
    cells: frozenset[str]
    timed: frozenset[str]
    pairs: int

    @property
    def noisy(self) -> bool:
        """Whether base differed from itself by more than the margin: no time is judged then."""
        return any(found.verdict in (WORSE, BETTER) for found in self.control)

    @property
    def unmeasured(self) -> frozenset[str]:
        """The cells that a side could not do, or that were timed and of which no time is decided."""
        failed = {found.cell for found in self.findings if found.quantity == "status"}
        decided = {found.cell for found in self.findings if found.quantity in TIMES and found.verdict != UNDECIDED}
        return self.cells & (failed | (self.timed - decided))

    @property
    def measured(self) -> int:
        """How many of the cells were measured."""
        return len(self.cells) - len(self.unmeasured)

    @property
    def status(self) -> int:
        """The exit status: 1 on a regression; 2, undecided, where a cell that both sides have was not measured, or none
        was, or base differed from itself; 0 otherwise."""
        if any(found.verdict == WORSE for found in self.findings):
            return 1
        return 2 if self.noisy or self.unmeasured or not self.measured else 0
