"""Every rule at its limit, around it, on both sides, and without an interval; and the verdicts on answers."""

from __future__ import annotations

from math import inf, nan

import pytest

from reports.claims import rules
from reports.claims.claim import Case, Rule
from reports.claims.verdict import FAILS, HOLDS, PARTLY, UNDECIDED, UNKNOWN, conclude, counted

RULES = {
    "below": (rules.below(2), (1, 1.9), (2, 3)),
    "at_most": (rules.at_most(2), (1, 2), (2.1, 3)),
    "above": (rules.above(2), (2.1, 3), (1, 2)),
    "at_least": (rules.at_least(2), (2, 3), (1, 1.9)),
    "between": (rules.between(2, 4), (2, 4), (4.1, 9)),
    "outside": (rules.outside(1, 2), (2.1, 3), (1, 2)),
    "near": (rules.near(2, 1.5), (1.5, 3), (3.1, 4)),
    "equals": (rules.equals(2), (2, 2), (2.1, 2.1)),
}
"""Each rule, an interval that obeys it and one that breaks it."""


def of(low: float, high: float, name: str = "torch") -> Case:
    """A case with this interval."""
    return Case({"framework": name}, (low + high) / 2, low, high)


@pytest.mark.parametrize(("rule", "good", "bad"), RULES.values(), ids=list(RULES))
def test_every_rule_gives_every_verdict(rule: Rule, good: tuple[float, float], bad: tuple[float, float]) -> None:
    holds, fails, wide = of(*good), of(*bad, "jax"), of(min(good + bad) - 1e-9, max(good + bad) + 1e-9, "numpy")
    assert (rule(holds), rule(fails), rule(wide), rule(of(nan, nan))) == (True, False, None, None)
    for cases, verdict, obeying in (
        ([holds, holds], HOLDS, (2, 2)),
        ([holds, fails, wide], PARTLY, (1, 2)),
        ([holds, wide], HOLDS, (1, 1)),
        ([fails, wide], FAILS, (0, 1)),
        ([wide], UNDECIDED, (0, 0)),
        ([], UNKNOWN, (0, 0)),
    ):
        assert conclude([rule(case) for case in cases]) == (verdict, obeying)


def test_every_rule_is_among_them() -> None:
    made = {name for name, one in vars(rules).items() if callable(one) and one.__module__ == rules.__name__}
    assert {name for name in made if not name.startswith("_")} == set(RULES)


def test_a_time_that_never_comes_is_no_unknown() -> None:
    never = Case({}, inf, inf, inf, note="never")
    assert rules.below(1)(never) is False and never.measured == "never"


def test_between_fails_below_and_above() -> None:
    rule = rules.between(2, 4)
    assert [rule(of(*one)) for one in ((0, 1), (5, 6), (1, 3), (3, 5))] == [False, False, None, None]


def test_outside_holds_below_and_above() -> None:
    rule = rules.outside(2, 4)
    assert [rule(of(*one)) for one in ((0, 1), (5, 6), (1, 3), (3, 5))] == [True, True, None, None]


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([True], "holds in 1 of 1 case"),
        ([None, None], "undecided in 2 of 2 cases"),
        ([False, None, False], "undecided in 1 of 3 cases, fails in 2"),
        ([True] + [None] * 3 + [False] * 8, "holds in 1 of 12 cases, undecided in 3, fails in 8"),
    ],
)
def test_a_tally_counts_every_case(answers: list[bool | None], words: str) -> None:
    assert counted(answers) == words


@pytest.mark.parametrize(
    ("case", "text"),
    [
        (Case({}, 2.5, 2, 3), "2.50 [2.00, 3.00]"),
        (Case({}, 2.5, 2, 3, "%", "a note"), "2.50 [2.00, 3.00] % (a note)"),
        (Case({}, 2.5, 2, inf), "2.50 [2.00, ∞]"),
        (Case({}, 2.5, nan, nan), "2.50 [one sample]"),
        (Case({}, 2048, 2048, 2048, "B"), "2.05 kB"),
        (Case({}, 4.0, 4.0, 4.0, "B a step"), "4.00 B a step"),
        (Case({}, nan, nan, nan), "–"),
    ],
)
def test_a_number_is_shown_with_its_interval_unless_it_is_exact(case: Case, text: str) -> None:
    assert case.measured == text
