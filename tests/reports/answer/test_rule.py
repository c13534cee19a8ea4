"""What is chosen where the right choice is known."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.answer.candidate import BYTES, Candidate
from reports.answer.notes import paired
from reports.answer.rule import CRITICAL, USABLE, decide
from reports.intervals import Estimate, exactly
from tests.reports.answer.worlds import JFB, UNROLLED, candidate, case, picard

SLOW, FAST, ROUGH = candidate(UNROLLED, 3.0, 1e-7), candidate(picard(9), 2.0, 1e-6), candidate(JFB, 1.1, 0.5)


def test_the_cheapest_within_the_error_is_chosen() -> None:
    found = decide(case(SLOW, FAST, ROUGH), USABLE)
    assert found.winners == (FAST,) and found.methods == ("IFT, Picard",) and found.why == ""


def test_overlapping_intervals_are_named_together_the_least_first() -> None:
    near = candidate(UNROLLED, 2.03, 1e-7)
    found = decide(case(near, FAST, ROUGH), USABLE)
    assert found.winners == (FAST, near) and found.why == "their intervals overlap"
    assert found.named == "IFT, Picard (M 9) or unrolled"


@pytest.mark.parametrize(("low", "chosen"), [(2.02, 2), (2.0200001, 1)])
def test_intervals_that_touch_overlap(low: float, chosen: int) -> None:
    best = replace(FAST, cost=Estimate(2.0, 1.98, 2.02, 4))
    other = replace(SLOW, cost=Estimate(2.1, low, 2.2, 4))
    assert len(decide(case(other, best), USABLE).winners) == chosen


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
    ours = [replace(SLOW, cost=exactly(100.0)), replace(FAST, cost=exactly(100.0))]
    assert decide(case(*ours, unit=BYTES), USABLE).why == "they take the same bytes"
    ours[1] = replace(FAST, cost=exactly(99.0))
    assert decide(case(*ours, unit=BYTES), USABLE).winners == (ours[1],)


def test_many_ties_are_counted() -> None:
    ours = [candidate(picard(M), 2.0, 1e-6) for M in range(5)] + [candidate(UNROLLED, 2.0, 1e-6)]
    assert decide(case(*ours), USABLE).named.endswith("or IFT, Picard (M 2) or 3 more")


def test_r_decides_between_settings_of_one_forward_solve() -> None:
    """Their times in another forward overlap; R, which is paired, tells them apart."""
    one, other = candidate(("ift", {"K": 9, "M": 4}), 1.4, 1e-3), candidate(("unrolled", {"K": 9}), 3.0, 1e-6)
    wide = Estimate(1.0, 0.5, 2.0, 4)
    ours = [replace(one, cost=wide), replace(other, cost=wide)]
    found = decide(case(*ours, longest=9.0), USABLE)
    assert found.winners == (ours[0],) and found.apart == ((ours[0], ours[1]),)
    assert paired(found) == (
        "R, which is paired, tells IFT (K 9, M 4) from unrolled (K 9) (1.40 [1.39, 1.41] against 3.00 [2.97, 3.03])."
    )
    told = decide(case(ours[0], replace(ours[1], cost=Estimate(3.0, 2.1, 4.0, 4)), longest=9.0), USABLE)
    assert told.apart == () and paired(told) == "", "their times alone tell these apart"
    apart = replace(ours[1], row={**other.row, "options": {"K": 4}})
    assert len(decide(case(ours[0], apart, longest=9.0), USABLE).winners) == 2


NUMBERS = st.floats(-1e300, 1e300) | st.sampled_from([nan, inf, 0.0, 1e300, 5e-324, 1.0])
METHODS = st.sampled_from([UNROLLED, JFB, picard(3), ("<script>", {"K": "x"}), ("ift", {"linear_solver": "|"})])


@given(st.lists(st.builds(candidate, METHODS, NUMBERS, NUMBERS, NUMBERS), max_size=5), st.sampled_from([nan, 9.0]))
def test_whatever_the_numbers_winners_are_allowed_and_none_is_cheaper(found: list[Candidate], longest: float) -> None:
    decision = decide(case(*found, longest=longest), USABLE)
    assert bool(decision.winners) or bool(decision.why)
    assert all(one.error <= USABLE for one in decision.winners)
    if decision.winners and longest != longest:
        least = min(one.cost.value for one in found if one.error <= USABLE and abs(one.cost.value) < inf)
        assert decision.winners[0].cost.value == least
