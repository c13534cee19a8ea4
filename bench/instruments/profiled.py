"""What a profile of one call says, in whichever framework it was taken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One kind of operation within one call. calls: how many ran. seconds: spent in them and in nothing they call; None
    where the profile has no times."""

    name: str
    calls: float
    seconds: float | None


@dataclass(frozen=True)
class Profile:
    """One call. seconds: all of it, with the profiler's own cost, so that shares alone mean something; None where there
    are no times. note: a sentence on what is missing."""

    kinds: tuple[Kind, ...]
    seconds: float | None
    note: str = ""

    @property
    def outside(self) -> float | None:
        """Seconds outside operations: Python, dispatch, autograd's engine, the runtime."""
        if self.seconds is None:
            return None
        return max(0.0, self.seconds - sum(kind.seconds or 0.0 for kind in self.kinds))


def profile(times: Iterable[tuple[str, int, float]], seconds: float, calls: int) -> Profile:
    """The profile of one of so many calls, from ``(name, count, seconds)`` of all of them; the dearest kind first."""
    found: dict[str, tuple[int, float]] = {}
    for name, count, spent in times:
        before = found.get(name, (0, 0.0))
        found[name] = before[0] + count, before[1] + spent
    kinds = [Kind(name, count / calls, spent / calls) for name, (count, spent) in found.items()]
    return Profile(tuple(sorted(kinds, key=lambda kind: (-(kind.seconds or 0), kind.name))), seconds / calls)
