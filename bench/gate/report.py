"""What a gate found, and the exit status that it means."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bench.gate.judge import BETTER, TIMES, UNDECIDED, WORSE, Finding
from bench.gate.sides import Side


@dataclass(frozen=True)
class Report:
    """findings: of base against head. control: of base against itself. cells: the ids of those that either side should
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
    def measured(self) -> int:
        """How many cells both sides could do and, where they were timed, of which at least one time is decided."""
        failed = {found.cell for found in self.findings if found.quantity == "status"}
        decided = {found.cell for found in self.findings if found.quantity in TIMES and found.verdict != UNDECIDED}
        return len(self.cells - failed - (self.timed - decided))

    @property
    def status(self) -> int:
        """The exit status: 1 on a regression, 2 where nothing or too little was measured, 0 otherwise."""
        if any(found.verdict == WORSE for found in self.findings):
            return 1
        return 2 if self.measured < max(1, math.ceil(len(self.cells) / 2)) else 0
