"""Slopes of bytes: exact where they are, a range where they are not."""

from __future__ import annotations

from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import cells
from reports.slopes import activation_bytes, describe, parts, slope
from reports.sweeps import sweeps
from tests.reports.suite import A, P
from tests.rows import exact, results, visit

XS = [2, 4, 8, 16, 32]
W = 128 * 129 * 4
"""Bytes of a layer with its bias, of which no number makes an activation."""


@given(st.integers(-(10**9), 10**9), st.integers(0, 10**9), st.sets(st.integers(1, 1000), min_size=3, max_size=6))
def test_a_straight_line_is_exact(rise: int, start: int, places: set[int]) -> None:
    xs = sorted(places)
    assert slope(xs, [start + rise * x for x in xs], "layer").exact == rise


@pytest.mark.parametrize(
    ("ys", "words"),
    [
        ([7, 7, 7, 7, 7], "0 B a layer: constant"),
        ([A * x + 8 for x in XS], "+524288 B a layer: exactly one activation"),
        ([2 * A * x for x in XS], "+1048576 B a layer: exactly two activations"),
        ([2 * W * x for x in XS], "+132096 B a layer: exactly two copies of a layer's weights"),
        (
            [(A + W) * x for x in XS],
            "+590336 B a layer: exactly one activation and one copy of a layer's weights",
        ),
        ([1000 * x for x in XS], "+1000 B a layer"),
        ([-1000 * x for x in XS], "−1000 B a layer"),
        ([3 * x // 2 for x in XS], "+1.500 B a layer"),
        ([5, 9, 9, 9, 9], "0 B a layer from 4 on (before: +2): constant"),
        ([1, 2, 9, 12, 90], "+0.375 to +4.875 B a layer, not a straight line"),
    ],
)
def test_words(ys: list[int], words: str) -> None:
    assert describe(slope(XS, ys, "layer"), A, Fraction(W)) == words


def test_the_fewest_pieces_explain_a_slope() -> None:
    # Eight copies of the weights are as large as an activation: one activation is the simpler account.
    assert parts(Fraction(A), A, Fraction(P)) == (1, 0)
    assert parts(Fraction(P), A, Fraction(P)) == (0, 1)
    assert parts(Fraction(7), A, Fraction(P)) is None
    assert parts(Fraction(A), None, Fraction(0)) is None


def test_an_activation_needs_a_batch_a_width_and_a_known_dtype() -> None:
    assert activation_bytes({"batch": 2, "width": 3}, "float64") == 48
    assert activation_bytes({"batch": 2, "channels": 3}, "float32") is None
    assert activation_bytes({"batch": 2, "width": 3}, "int3") is None


def test_sweeps_of_the_suite(frame: pd.DataFrame) -> None:
    depth = {(line.framework, line.label): line for line in sweeps(frame, "depth")}
    assert len(depth) == 4
    assert depth["jax", "backprop"].words == "+524288 B a layer: exactly one activation"
    given_tangents = depth["torch", "forward gradient, tangents given"]
    assert given_tangents.copies == 1
    assert set(given_tangents.without_weights) == {5 * A}
    words = {line.label: line.words for line in sweeps(frame, "K") if line.framework == "torch"}
    assert words["unrolled"] == "+131072 B a step: exactly one activation"
    assert words["JFB"] == "0 B a step: constant"


def test_two_points_and_failed_points_make_no_sweep() -> None:
    rows = [exact(100 * depth, sizes={"depth": depth}) for depth in (1, 2)]
    rows.append(visit(sizes={"depth": 3}, status="oom", reason="too large"))
    assert sweeps(cells(results(rows)), "depth") == []
