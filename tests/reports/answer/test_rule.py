"""What is chosen where the right choice is known."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.stats import Estimate, exactly
from reports.answer.candidate import BYTES, Candidate
from reports.answer.notes import dominated, paired, unfit
from reports.answer.rule import CRITICAL, USABLE, decide
from tests.reports.answer.worlds import JFB, UNROLLED, candidate, case, picard

NEITHER = "none has less error or less memory without more of the other"
SLOW, FAST, ROUGH = candidate(UNROLLED, 3.0, 1e-7), candidate(picard(9), 2.0, 1e-6), candidate(JFB, 1.1, 0.5)


def test_the_cheapest_within_the_error_is_chosen() -> None:
    found = decide(case(SLOW, FAST, ROUGH), USABLE)
    assert found.winners == (FAST,) and found.methods == ("IFT, Picard",) and found.why == ""


def measured(one: Candidate, *, error: float = nan, peak: float = nan, cost: Estimate | None = None) -> Candidate:
    """The candidate with another error, other peak bytes or another cost."""
    known = {name: value for name, value in (("gradient_error", error), ("peak_bytes", peak)) if value == value}
    return replace(one, row={**one.row, **known}, cost=cost or one.cost)


NEAR = candidate(UNROLLED, 2.03, 1e-3)
"""Costs the same as ``FAST``."""


@pytest.mark.parametrize(
    ("fast", "near", "named"),
    [
        ((1e-3, 100.0), (1e-3, 100.0), ["fast", "near"]),
        ((1e-3, 100.0), (1e-4, 100.0), ["near"]),
        ((1e-3, 100.0), (1e-3, 50.0), ["near"]),
        ((1e-3, 100.0), (1e-4, 50.0), ["near"]),
        ((1e-4, 50.0), (1e-3, 100.0), ["fast"]),
        ((1e-3, 50.0), (1e-4, 100.0), ["fast", "near"]),
        ((1e-4, 100.0), (1e-3, 50.0), ["fast", "near"]),
        ((1e-3, nan), (1e-4, nan), ["near"]),
        ((1e-3, 100.0), (1e-4, nan), ["fast", "near"]),
        ((2e-7, 100.0), (4e-7, 50.0), ["near"]),
    ],
)
def test_of_equal_costs_less_error_or_memory_decides_and_else_both_are_named(
    fast: tuple[float, float], near: tuple[float, float], named: list[str]
) -> None:
    """The least first; errors of 2e-7 and 4e-7 are both rounding in float32."""
    one, other = (measured(base, error=of[0], peak=of[1]) for base, of in ((FAST, fast), (NEAR, near)))
    found = decide(case(other, one, ROUGH), USABLE)
    assert found.winners == tuple({"fast": one, "near": other}[name] for name in named)
    losers = [loser for loser in (one, other) if loser not in found.winners]
    assert [loser for loser, _ in found.dominated] == losers
    assert found.why == ("" if losers else f"their costs are not told apart, and {NEITHER}")
    cheap = replace(FAST, cost=Estimate(1.0, 0.98, 1.02, 4))
    assert decide(case(cheap, other), USABLE).winners == (cheap,), "what costs more is no rival, however right"


def test_what_is_not_named_and_why_is_told() -> None:
    one, other = measured(FAST, error=2e-4, peak=230.0), measured(NEAR, error=6e-4, peak=590.0)
    found = decide(case(other, one), USABLE)
    assert found.winners == (one,)
    assert dominated(found) == (
        "Not told apart in cost, and no better otherwise: unrolled 2.03 [2.01, 2.05] (3.00 times the error and 2.57 "
        "times the peak bytes of IFT, Picard (M 9))."
    )


@pytest.mark.parametrize(("low", "chosen"), [(2.02, 2), (2.0200001, 1)])
def test_intervals_that_touch_overlap(low: float, chosen: int) -> None:
    best = replace(FAST, cost=Estimate(2.0, 1.98, 2.02, 8))
    other = measured(FAST, cost=Estimate(2.1, low, 2.2, 8))
    assert len(decide(case(other, best, SLOW), USABLE).winners) == chosen


def test_a_cell_whose_r_lies_below_one_takes_no_part_and_is_told() -> None:
    low = candidate(picard(3), 0.5, 1e-7)
    found = decide(case(low, FAST, SLOW), USABLE)
    assert found.winners == (FAST,)
    assert unfit(found.case).startswith("Left out, R below 1: IFT, Picard (M 3) 0.500 [0.495, 0.505]. The forward runs")
    alone = decide(case(low, candidate(UNROLLED, 0.6, 1e-7)), USABLE)
    assert not alone.winners and alone.why.startswith("R of all that was measured lies below 1")
    other = measured(replace(low, row={**low.row, "options": {"K": 4}}), cost=Estimate(0.5, 0.49, 0.51, 4))
    assert decide(case(other, FAST, longest=9.0), USABLE).winners == (other,), "a time in another forward is no R"


def test_the_only_one_within_the_error_has_no_rival_and_the_next_one_is_told() -> None:
    found = decide(case(SLOW, candidate(picard(2), 1.5, 0.03), ROUGH), CRITICAL)
    assert found.winners == (SLOW,)
    assert found.why == (
        "of 3 settings measured, only this one has an error of at most 0.0001; next comes IFT, Picard (M 2) with 0.0300"
    )


def test_none_within_the_error_is_no_answer_and_the_closest_is_told() -> None:
    found = decide(case(candidate(picard(2), 1.5, 0.03), ROUGH), USABLE)
    assert not found.winners and not found.unsure
    assert found.why == (
        "no setting measured has a gradient error of at most 0.01: the least is 0.0300, of IFT, Picard (M 2)"
    )


def test_one_method_alone_is_no_comparison() -> None:
    found = decide(case(FAST, candidate(picard(20), 3.0, 1e-7)), USABLE)
    assert not found.winners and found.why == "only IFT, Picard was measured"
    assert decide(case(), USABLE).why == "nothing was measured"


def test_one_worker_without_interval_decides_nothing() -> None:
    found = decide(case(SLOW, candidate(picard(9), 2.0, 1e-6, half=nan)), USABLE)
    assert not found.winners and found.unsure
    assert found.why == "IFT, Picard (M 9) has the least cost, but one worker gives no interval"


def test_a_rival_without_interval_is_named_beside() -> None:
    found = decide(case(candidate(UNROLLED, 3.0, 1e-7, half=nan), FAST), USABLE)
    assert found.methods == ("IFT, Picard", "unrolled") and found.why == "unrolled: one worker, no interval"


def test_unknown_errors_and_costs_are_no_candidates() -> None:
    blind, timeless = candidate(picard(3), 1.0, nan), replace(ROUGH, cost=Estimate(nan, nan, nan, 0))
    found = decide(case(SLOW, blind, timeless), USABLE)
    assert found.winners == (SLOW,) and found.why == "nothing else has both a cost and a gradient error"
    assert (
        decide(case(blind, timeless), USABLE).why
        == "no method but forward gradients has both a cost and a gradient error"
    )


def test_a_forward_gradient_is_never_chosen_however_small_its_error() -> None:
    lucky = candidate(("forward_gradient", {"tangents": "given"}), 1.0, 1e-9)
    lucky = replace(lucky, row={**lucky.row, "gradient": "forward_gradient"})
    found = decide(case(SLOW, lucky), USABLE)
    assert found.winners == (SLOW,) and found.why == "only forward gradients were measured beside it"
    other = replace(lucky, row={**lucky.row, "options": {"tangents": "gaussian"}})
    assert not decide(case(lucky, other), USABLE).winners


def test_backprop_beside_forward_gradients_alone_is_the_only_exact_method() -> None:
    drawn = candidate(("forward_gradient", {}), 1.0, 900.0)
    drawn = replace(drawn, row={**drawn.row, "gradient": "forward_gradient"})
    backprop, deeper = candidate(("backprop", {}), 2.0, 1e-7), candidate(("backprop", {"every": 2}), 3.0, 1e-7)
    assert decide(case(backprop, drawn), USABLE).lone == "the only exact method measured"
    assert decide(case(backprop, deeper, drawn), USABLE).lone
    for others in ((SLOW, drawn), (ROUGH, drawn), (SLOW,)):
        assert decide(case(backprop, *others), USABLE).lone == ""
    assert decide(case(SLOW, drawn), USABLE).lone == "", "unrolled is no method of every problem"
    assert decide(case(drawn, replace(backprop, row={**backprop.row, "gradient_error": nan})), USABLE).lone == ""


def test_equal_bytes_tie_and_one_byte_decides() -> None:
    ours = [measured(one, error=1e-7, cost=exactly(100.0)) for one in (SLOW, FAST)]
    assert decide(case(*ours, unit=BYTES), USABLE).why == f"they take the same bytes, and {NEITHER}"
    ours[0] = measured(SLOW, error=1e-3, cost=exactly(100.0))
    assert decide(case(*ours, unit=BYTES), USABLE).winners == (ours[1],)
    ours[0] = measured(SLOW, error=1e-3, cost=exactly(99.0))
    assert decide(case(*ours, unit=BYTES), USABLE).winners == (ours[0],)


def test_many_ties_are_counted() -> None:
    ours = [candidate(picard(M), 2.0, 1e-6) for M in range(5)] + [candidate(UNROLLED, 2.0, 1e-6)]
    assert decide(case(*ours), USABLE).named.endswith("or IFT, Picard (M 2) or 3 more")


def test_r_of_one_forward_solve_is_told_where_it_differs_and_decides_nothing() -> None:
    """Each R is in a forward that was timed with its own cell alone; the times, in one forward, overlap."""
    one, other = candidate(("ift", {"K": 9, "M": 4}), 1.4, 1e-3), candidate(("unrolled", {"K": 9}), 3.0, 1e-6)
    wide = Estimate(1.0, 0.5, 2.0, 4)
    found = decide(case(replace(one, cost=wide), replace(other, cost=wide), longest=20.0), USABLE)
    assert found.winners == (replace(other, cost=wide),), "the same time, and less error"
    assert paired(found) == (
        "R is in the forward of each cell, which was timed with that cell alone: 1.40 [1.39, 1.41] for IFT (K 9, M 4) "
        "and 3.00 [2.97, 3.03] for unrolled (K 9)."
    )
    assert paired(decide(case(one, other), USABLE)) == ""


NUMBERS = st.floats(-1e300, 1e300) | st.sampled_from([nan, inf, 0.0, 1e300, 5e-324, 1.0])
METHODS = st.sampled_from([UNROLLED, JFB, picard(3), ("<script>", {"K": "x"}), ("ift", {"linear_solver": "|"})])


@given(st.lists(st.builds(candidate, METHODS, NUMBERS, NUMBERS, NUMBERS), max_size=5), st.sampled_from([nan, 9.0]))
def test_whatever_the_numbers_winners_are_allowed_and_none_is_cheaper(found: list[Candidate], longest: float) -> None:
    decision = decide(case(*found, longest=longest), USABLE)
    assert bool(decision.winners) or bool(decision.why)
    assert all(one.error <= USABLE for one in decision.winners)
    if decision.winners:
        allowed = [one for one in found if one.error <= USABLE and abs(one.cost.value) < inf]
        named = [one for one in allowed if not decision.case.unfit(one)]
        least = min(one.cost.value for one in named)
        cheaper = {one.label for one in named if one.cost.value == least}
        assert decision.winners[0].cost.value == least or cheaper <= {loser.label for loser, _ in decision.dominated}
        assert {id(one) for pair in decision.dominated for one in pair} <= {id(one) for one in named}
