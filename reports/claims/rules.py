"""What claims demand of a measured value: a limit, a range, a neighbourhood; the whole interval has to obey."""

from __future__ import annotations

from reports.claims.claim import Case, Rule
from reports.numbers import sig


def below(limit: float) -> Rule:
    """Smaller than the limit."""
    return Rule(f"below {sig(limit)}", lambda case: _decided(case, case.high < limit, case.low >= limit))


def at_most(limit: float) -> Rule:
    """The limit or less."""
    return Rule(f"at most {sig(limit)}", lambda case: _decided(case, case.high <= limit, case.low > limit))


def above(limit: float) -> Rule:
    """Larger than the limit."""
    return Rule(f"above {sig(limit)}", lambda case: _decided(case, case.low > limit, case.high <= limit))


def at_least(limit: float) -> Rule:
    """The limit or more."""
    return Rule(f"at least {sig(limit)}", lambda case: _decided(case, case.low >= limit, case.high < limit))


def between(least: float, most: float) -> Rule:
    """In a range, its ends included."""
    return Rule(
        f"between {sig(least)} and {sig(most)}",
        lambda case: _decided(case, least <= case.low and case.high <= most, case.low > most or case.high < least),
    )


def outside(least: float, most: float) -> Rule:
    """Under a range or above it, its ends excluded."""
    return Rule(
        f"below {sig(least)} or above {sig(most)}",
        lambda case: _decided(case, case.high < least or case.low > most, least <= case.low and case.high <= most),
    )


def near(value: float, factor: float) -> Rule:
    """Within a factor of a positive value, up or down."""
    around = between(value / factor, value * factor)
    return Rule(f"within {sig(100 * (factor - 1))} % of {sig(value)}", around.judge)


def equals(value: float) -> Rule:
    """Exactly a value, for counts and bytes."""
    return Rule(f"exactly {sig(value)}", between(value, value).judge)


def _decided(case: Case, holds: bool, fails: bool) -> bool | None:
    """Comparisons with NaN are false, so an unknown interval is neither."""
    return True if holds else False if fails else None
