"""What asv tracks: what each number is, and which change of it counts."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

from bench.stats import BETTER, MARGIN, SAME, WORSE, Estimate, exactly, judge, unpaired
from reports.across.asv_files import OK, Commit, Entry
from reports.across.exact import EQUAL, MORE, Change, error

EXACT, SAMPLED, SINGLE, ERROR, OTHER = "exact", "sampled", "single", "error", "other"


@dataclass(frozen=True)
class Track:
    """words: what a number is called. unit: how it is printed. kind: which change counts, see below. margin: the
    relative change that is let pass. Lower is better in all of them.

    ``exact``: any; ``error``: any beyond rounding in float64; ``sampled``: the interval of the quotient decides;
    ``single``: one noisy number without an interval, so that only a large change does; ``other``: as sampled where
    there are samples, else as exact.
    """

    words: str
    unit: str
    kind: str
    margin: float = 0.0


TRACKS = {
    "R": Track("R", "forwards", SAMPLED, MARGIN),
    "gradient_s": Track("gradient", "seconds", SAMPLED, 0.1),
    "forward_s": Track("forward", "seconds", SAMPLED, 0.1),
    "compile_s": Track("compile", "seconds", SINGLE, 0.5),
    "peak_bytes": Track("peak bytes", "bytes", EXACT),
    "held_bytes": Track("held bytes", "bytes", EXACT),
    "flops": Track("flops", "flops", EXACT),
    "gradient_error": Track("gradient error", "relative", ERROR),
}
"""By what follows ``track_`` in the name of a benchmark, in the order in which they are listed."""


def track(benchmark: str) -> tuple[str, Track]:
    """Short name and facts of a benchmark; of one that is not known the interval decides, or any change."""
    name = benchmark.rpartition(".")[2].removeprefix("track_")
    return name, TRACKS.get(name, Track(name.replace("_", " "), "", OTHER, MARGIN))


@dataclass(frozen=True)
class Step:
    """From an earlier number to the newest. change: the two numbers. exact: whether any difference of them counts.
    ratio: newest ÷ earlier, with an interval where both have samples. verdict: one of ``quotient.CLASSES``. commit:
    which one has the earlier number."""

    earlier: Entry
    newest: Entry
    change: Change
    exact: bool
    ratio: Estimate
    verdict: str
    commit: Commit

    @property
    def status(self) -> str:
        """``ok → failed`` where it changed, else empty."""
        before, after = self.earlier.status, self.newest.status
        return "" if before == after else f"{before} → {after}"

    @property
    def changed(self) -> bool:
        """Whether it is beyond the rule of its track."""
        return self.verdict in (WORSE, BETTER)


def step(facts: Track, earlier: Entry, newest: Entry, commit: Commit) -> Step:
    """What a track's rule says of two of its numbers, the earlier one of ``commit``."""
    change = (error if facts.kind == ERROR else Change)(earlier.value, newest.value)
    drawn = bool(earlier.samples and newest.samples)
    exact = facts.kind in (EXACT, ERROR) or (facts.kind == OTHER and not drawn)
    if drawn and not exact and earlier.status == newest.status == OK:
        ratio = unpaired(newest.samples, earlier.samples)
    else:
        ratio = Estimate(change.factor, nan, nan, 1)
    verdict = _verdict(facts, earlier, newest, change, ratio, exact)
    return Step(earlier, newest, change, exact, ratio, verdict, commit)


def _verdict(facts: Track, earlier: Entry, newest: Entry, change: Change, ratio: Estimate, exact: bool) -> str:
    """The class of a step; a failure is worse than any number."""
    if earlier.status != newest.status:
        return WORSE if earlier.status == OK else BETTER
    if newest.status != OK:
        return SAME
    if exact:
        return SAME if change.word == EQUAL else WORSE if change.word == MORE else BETTER
    return judge(exactly(ratio.value) if facts.kind == SINGLE else ratio, facts.margin)
