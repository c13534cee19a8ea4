"""Every claim on made-up rows on which it holds, on which it does not, on mixed ones, and on none."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reports.claims import CLAIMS, Judged, judge
from reports.claims.verdict import FAILS, HOLDS, PARTLY, UNKNOWN
from reports.papers import Papers
from tests.reports.claims import implicit_worlds as implicit
from tests.reports.claims import worlds

Made = Callable[[], Papers]

FLAT, BENT = {2: 50, 5: 40, 50: 40}, {2: 40, 5: 40, 50: 90}
LINE, CURVE = {2: 136, 5: 193, 26: 592, 50: 1048}, {2: 34, 5: 36, 26: 40, 50: 50}

WORLDS: dict[str, tuple[Made, Made]] = {
    "baydin-faster": (lambda: worlds.ratios(2, 4), lambda: worlds.ratios(4, 2)),
    "baydin-forward-value": (lambda: worlds.ratios(2.4, 4), lambda: worlds.ratios(3, 4)),
    "baydin-reverse-value": (lambda: worlds.ratios(2, 4.3), lambda: worlds.ratios(2, 3)),
    "baydin-forward-cost": (lambda: worlds.ratios(2, 4), lambda: worlds.ratios(3.5, 4)),
    "baydin-reverse-cost": (lambda: worlds.ratios(2, 6), lambda: worlds.ratios(2, 4)),
    "baydin-depth-faster": (lambda: worlds.depths(0.5, 0.8), lambda: worlds.depths(1.1, 1.2)),
    "baydin-depth-rise": (lambda: worlds.depths(0.5, 0.8), lambda: worlds.depths(0.8, 0.5)),
    "baydin-memory": (lambda: worlds.copies(203), lambda: worlds.copies(100)),
    "baydin-beale-time": (lambda: worlds.functions(0.9, 1), lambda: worlds.functions(1.1, 1)),
    "baydin-rosenbrock-time": (lambda: worlds.functions(0.9, 1), lambda: worlds.functions(1.1, 1)),
    "baydin-beale-minimum": (lambda: worlds.functions(1, 9.9), lambda: worlds.functions(1, 11)),
    "baydin-rosenbrock-minimum": (lambda: worlds.functions(1, 9.9), lambda: worlds.functions(1, None)),
    "baydin-training-shared": (
        lambda: worlds.training({2e-4: [2.0, 1.0, 0.5]}),
        lambda: worlds.training({2e-4: [2.0, 1.9, 1.8]}),
    ),
    "baydin-training-tuned": (
        lambda: worlds.training({0.1: [2.0, 1.0, 0.5], 0.2: [2.0, 3.0, None]}),
        lambda: worlds.training({0.1: [2.0, 1.9, 1.0]}, seconds=1.1),
    ),
    "jfb-faster": (lambda: implicit.epochs(1.5), lambda: implicit.epochs(0.9)),
    "jfb-speedup": (lambda: implicit.epochs(1.6), lambda: implicit.epochs(5)),
    "jfb-no-loss": (lambda: implicit.accuracy(0.05, 0.045), lambda: implicit.accuracy(0.1, 0.05)),
    "jfb-more-accurate": (lambda: implicit.accuracy(0.04, 0.05), lambda: implicit.accuracy(0.05, 0.05)),
    "jfb-competitive": (lambda: implicit.accuracy(0.05, 0.045), lambda: implicit.accuracy(0.1, 0.05)),
    "jfb-explicit": (lambda: implicit.accuracy(0.05, 0.045), lambda: implicit.accuracy(0.1, 0.05)),
    "jfb-easier": (lambda: implicit.lines(20), lambda: implicit.lines(60)),
    "jfb-descent": (lambda: implicit.descent(0.5, 0, 1), lambda: implicit.descent(-0.5, 0, 1)),
    "jfb-descent-worst": (lambda: implicit.descent(0.5, -1e-13, 1), lambda: implicit.descent(0.5, -0.1, 1)),
    "jfb-descent-outside": (lambda: implicit.descent(0.5, 0, 0), lambda: implicit.descent(-0.5, 0, 0)),
    "jfb-neumann-fastest": (lambda: implicit.neumann(1.2, 0.1), lambda: implicit.neumann(0.9, 0.1)),
    "jfb-neumann-accuracy": (lambda: implicit.neumann(1, 0.109), lambda: implicit.neumann(1, 0.12)),
    "jfb-fixed-memory": (lambda: implicit.memory(LINE, FLAT), lambda: implicit.memory(LINE, BENT)),
    "jfb-linear-memory": (lambda: worlds.layers(8), lambda: worlds.layers(0)),
    "jfb-straight-memory": (lambda: worlds.layers(8), lambda: worlds.layers(8, 4)),
    "lecture-newton-memory": (lambda: implicit.newton(3), lambda: implicit.newton(0.5)),
    "lecture-newton-time": (lambda: implicit.newton(3), lambda: implicit.newton(0.5)),
    "lecture-unstable": (lambda: implicit.chain(1e-9), lambda: implicit.chain(0.5)),
    "lecture-solver": (lambda: implicit.solvers(1e-14), lambda: implicit.solvers(1e-6)),
    "lecture-inverse-time": (lambda: implicit.inverse({64: 2}), lambda: implicit.inverse({64: 0.5})),
    "lecture-inverse-memory": (lambda: implicit.inverse({64: 2}), lambda: implicit.inverse({64: 0.5})),
    "theseus-linear": (lambda: implicit.memory(LINE, FLAT), lambda: implicit.memory(CURVE, FLAT)),
    "theseus-flat": (lambda: implicit.memory(LINE, {2: 40, 50: 40}), lambda: implicit.memory(LINE, BENT)),
}
"""Of each claim rows on which it holds, and rows on which it does not."""

NOTHING = worlds.papers()


def became(name: str, papers: Papers) -> Judged:
    """What became of one claim."""
    return judge(next(claim for claim in CLAIMS if claim.name == name), papers)


def test_every_claim_is_among_them_once() -> None:
    assert sorted(claim.name for claim in CLAIMS) == sorted(WORLDS)


@pytest.mark.parametrize("name", WORLDS)
def test_a_claim_holds_or_does_not_by_its_rows_alone(name: str) -> None:
    good, bad = WORLDS[name]
    for verdict, made in ((HOLDS, good), (FAILS, bad)):
        found = became(name, made())
        assert (found.verdict, found.detail) == (verdict, ""), found
        assert found.tally.startswith(f"{'Holds' if verdict == HOLDS else 'Fails'} in ") and found.scope.text, found
        assert found.measured and len(found.cases) > 0
    nothing = became(name, NOTHING)
    experiments = " and ".join(nothing.claim.experiments)
    assert (nothing.verdict, nothing.detail, nothing.measured) == (UNKNOWN, f"Not run: {experiments}.", "")


MIXED: dict[str, tuple[Made, str]] = {
    "baydin-depth-faster": (lambda: worlds.depths(0.5, 1.2), "Holds for depth 1. Not for depth 100."),
    "lecture-inverse-time": (lambda: implicit.inverse({8: 0.5, 64: 2}), "Holds for n 64. Not for n 8."),
    "jfb-easier": (lambda: implicit.lines(35), "Holds for IFT with Picard and IFT with GMRES. Not for unrolled."),
    "baydin-training-shared": (
        lambda: worlds.training({2e-5: [2.0, 1.9, 1.8], 2e-4: [2.0, 1.0, 0.5]}),
        "Holds for rate 0.0002. Not for rate 2e-05.",
    ),
}


@pytest.mark.parametrize("name", MIXED)
def test_conditions_are_named(name: str) -> None:
    made, detail = MIXED[name]
    found = became(name, made())
    assert (found.verdict, found.detail) == (PARTLY, detail)
    yes, decided = found.obeying
    assert 0 < yes < decided and found.words == f"holds in {yes} of {decided}"
    assert found.said.startswith(f"{found.words}, on ") or found.said.startswith(f"{found.words} (torch")


@pytest.mark.parametrize(("shallow", "deep"), [(0.8, 1.5), (2.0, 1.1)])
def test_a_ratio_that_rises_past_one_or_falls_towards_it_does_not_rise_towards_it(shallow: float, deep: float) -> None:
    assert became("baydin-depth-rise", worlds.depths(shallow, deep)).verdict == FAILS
