"""Verdicts with their tally and their scope: the case that a claim names decides, and an R below 1 decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bench.rows import Samples
from reports.claims import VERDICTS
from reports.claims.scope import MISSED, Scope, union
from reports.claims.verdict import FAILS, HOLDS, PARTLY, UNDECIDED, UNKNOWN, conclude
from reports.paper_page import MARKS, RULES
from tests.reports.claims import implicit_worlds as implicit
from tests.reports.claims import worlds
from tests.reports.claims.test_accuracy import runs
from tests.reports.claims.test_claims import became
from tests.rows import BACKPROP, GAUSSIAN, GIVEN, Row

ROOT = Path(__file__).parents[3]
SIZES = {"batch": 64, "width": 8}
ANSWERS = st.lists(st.sampled_from([True, False, None]), max_size=12)


def ratios(sampled: float, given_: float, reverse: float = 4.0, problems: Sequence[str] = ("mlp",)) -> list[Row]:
    """R of forward gradient with both kinds of tangents, and of backprop, exactly."""
    return [
        row
        for problem in problems
        for method, ratio in ((BACKPROP, reverse), (GAUSSIAN, sampled), (GIVEN, given_))
        for row in worlds.cell(ratio, problem, method, SIZES)
    ]


def test_the_tangents_that_the_algorithm_samples_decide() -> None:
    found = became("baydin-faster", worlds.papers({"ratios": ratios(sampled=9.0, given_=2.0)}))
    assert found.verdict == FAILS and [one for one in found.answers] == [False, True, False, True]
    assert found.said == "does not hold here, on mlp (torch and jax, width 8, batch 64, 3 workers)"
    assert found.tally == (
        "Holds in 2 of 4 cases, fails in 2 (with sampled tangents, which the claim names and which decide, fails in 2 "
        "of 2 cases)."
    )
    assert found.detail == "Holds for given tangents. Not for sampled tangents."


def test_without_the_case_that_a_claim_names_it_is_not_measured() -> None:
    rows = [row for row in worlds.depths(0.5, 0.8).results.visits if row.options.get("tangents") != "gaussian"]
    found = became("baydin-depth-faster", worlds.papers({"depth": rows}))
    assert found.verdict == UNKNOWN and len(found.cases) == 4
    assert found.tally == (
        "Holds in 4 of 4 cases (with sampled tangents, which the claim names and which decide, not measured)."
    )


def test_the_published_baseline_decides_on_the_published_speed_up() -> None:
    parts = worlds.step_times(
        "epochs",
        {"jfb": 1.0, "ift normal_cg": 1.6, "ift normal_cg_published": 5.0},
        data="mnist5k",
        gamma=0.5,
        tol=0.1,
        channels=8,
    )
    found = became("jfb-speedup", worlds.papers(parts=parts))
    assert found.said == "does not hold here, on 5000 images of MNIST (torch and jax, channels 8, 3 workers)"
    assert found.detail == "Holds for normal CG. Not for normal CG as published."


def test_accuracy_says_on_what_data_with_how_many_seeds_and_solves_that_missed() -> None:
    parts = runs("jfb", *[0.1] * 3, failed=100) + runs("ift", *[0.1] * 3, failed=70, unscored=6)
    found = became("jfb-no-loss", worlds.papers(parts=parts))
    assert found.said == "holds, on 8×8 digits (jax, 3 seeds, 528 solves missed)"
    assert found.tally == "Holds in 1 of 1 case."


def test_what_missed_in_a_seed_that_is_not_compared_does_not_count() -> None:
    parts = runs("jfb", *[0.1] * 5, failed=10) + runs("explicit", *[0.1] * 3)
    found = became("jfb-explicit", worlds.papers(parts=parts))
    assert found.said == "holds, on 8×8 digits (jax, 3 seeds, 30 solves missed)"
    assert found.cases[0].note == "10 % and 10 %, 3 seeds; 30 solves missed 1e-3 while training"


def test_what_two_cases_share_is_counted_once() -> None:
    parts = [
        row
        for k, failed in ((0, 10), (1, 1), (5, 2))
        for row in runs("ift", 0.1, 0.1, experiment="neumann", k=k, failed=failed)
    ]
    found = became("jfb-neumann-accuracy", worlds.papers(parts=parts))
    assert found.said == "holds, on 8×8 digits (jax, 2 seeds, 26 solves missed)"


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_an_r_below_one_decides_no_claim_and_says_so(framework: str) -> None:
    """The forward of one framework is slow: R is 0.65 and 0.51 there; the other one's cells decide alone."""
    rows = [row for row in ratios(sampled=2.0, given_=2.0) if row["framework"] != framework]
    rows += [row for row in ratios(sampled=0.51, given_=2.0, reverse=0.65) if row["framework"] == framework]
    papers = worlds.papers({"ratios": rows})
    found = became("baydin-faster", papers)
    assert found.verdict == HOLDS and found.obeying == (1, 1) and framework not in found.said
    assert f"Left undecided, since R below 1 is no unit: {framework}." in found.detail
    low = [case for case in found.cases if case.conditions["framework"] == framework]
    assert low[0].measured.endswith("R below 1, no unit: forward gradient 0.510, backprop 0.650)")
    cost = became("baydin-forward-cost", papers)
    assert cost.obeying == (1, 1) and cost.answers.count(None) == 1
    alone = [row for row in rows if row["framework"] == framework]
    assert became("baydin-reverse-cost", worlds.papers({"ratios": alone})).verdict == UNDECIDED


def test_every_claim_on_times_of_cells_doubts_an_r_below_one() -> None:
    """The same rows, every gradient call a hundred times as fast: nothing is decided any more."""
    for name, made in {
        "baydin-depth-faster": worlds.depths(0.5, 0.8),
        "baydin-depth-rise": worlds.depths(0.5, 0.8),
        "jfb-neumann-fastest": became_world("neumann"),
        "lecture-newton-time": became_world("newton"),
        "lecture-inverse-time": became_world("inverse"),
    }.items():
        experiment = next(iter(made.experiments))
        fast = [
            replace(
                row,
                samples=Samples(
                    forward_s=row.samples.forward_s, gradient_s=[time / 100 for time in row.samples.gradient_s]
                ),
            )
            for row in made.results.visits
        ]
        found = became(name, worlds.papers({experiment: fast}))
        assert found.verdict == UNDECIDED and set(found.answers) == {None}, name
        assert "no unit" in found.measured and "Left undecided, since R below 1 is no unit: " in found.detail


def became_world(name: str) -> worlds.Papers:
    """Made-up rows of the implicit experiments on which their claims hold."""
    return {"neumann": implicit.neumann(1.2, 0.1), "newton": implicit.newton(3), "inverse": implicit.inverse({64: 2})}[
        name
    ]


@given(ANSWERS)
def test_the_verdict_follows_from_the_counts_alone(answers: list[bool | None]) -> None:
    yes, no = answers.count(True), answers.count(False)
    expected = {
        (True, True): PARTLY,
        (True, False): HOLDS,
        (False, True): FAILS,
        (False, False): UNDECIDED if answers else UNKNOWN,
    }
    assert conclude(answers) == (expected[yes > 0, no > 0], (yes, yes + no) if yes + no else (0, 0))
    assert conclude(answers) == conclude(answers[::-1])


def test_scopes_add_up_and_say_ranges() -> None:
    one = Scope(frozenset({"mlp"}), frozenset({"jax"}), sizes={"depth": frozenset({"1", "3"})}, seeds=frozenset({3}))
    other = Scope(
        frozenset({"cnn"}),
        frozenset({"torch"}),
        frozenset({"float64"}),
        {"depth": frozenset({"10", "30"}), "width": frozenset()},
        frozenset({5}),
        counts={MISSED: {"a": 1}},
    )
    assert (one | other) == (other | one) and union([one, other, one]) == one | other
    assert (
        union([one, other]).text
        == "on cnn and mlp (torch and jax, float64, depth 1 to 30, 3 to 5 seeds, 1 solve missed)"
    )
    assert union([]).text == ""


def test_the_words_of_verdicts_are_the_same_everywhere() -> None:
    assert list(MARKS) == list(VERDICTS)
    for place in (RULES, *((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/papers.md"))):
        assert all(verdict in " ".join(place.split()) for verdict in VERDICTS)
        assert "under conditions" not in place
