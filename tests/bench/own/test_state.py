"""Closed forms of what is estimated of a step, and of how far a gradient may be off."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from bench.failures import Diverged
from bench.own.float64 import settled
from bench.own.model import require_same
from bench.own.state import last_finite, mixes, require_solved, residual, shortest, spectral_radius
from bench.own.verdict import allowed, solves

Z = np.random.default_rng(0).normal(size=(3, 4))


@pytest.mark.parametrize("radius", [0.3, 1.2])
def test_the_spectral_radius_of_a_rotation_and_of_a_matrix_that_is_not_normal(radius: float) -> None:
    turn = radius * np.array([[0.0, -1.0], [1.0, 0.0]])
    sheared = np.array([[radius, 0.7], [0.0, radius / 2]])
    for J in (turn, sheared):
        assert spectral_radius(lambda v, J=J: v @ J, np.zeros((3, 2))) == pytest.approx(radius, rel=1e-4)
    assert spectral_radius(lambda v: 0 * v, Z) == 0


def test_samples_mix_where_one_depends_on_another() -> None:
    assert mixes(lambda z: z - z.mean(0), Z) and mixes(lambda z: z[::-1], Z)
    assert mixes(lambda z: z - z[-1] * (np.arange(3) == 0)[:, None], Z)
    assert not mixes(np.tanh, Z) and not mixes(lambda z: z - z.mean(0), Z[:1])


@pytest.mark.parametrize(("reader", "read"), [(0, 6), (6, 0), (2, 3), (3, 2), (5, 4), (1, 6)])
def test_one_sample_that_reads_one_other_is_seen_in_both_directions(reader: int, read: int) -> None:
    coupling = 0.5 * np.eye(7)
    coupling[reader, read] = 0.1
    assert mixes(lambda z: np.tanh(coupling @ z), np.zeros((7, 3)))


def test_a_large_move_that_leaves_the_numbers_is_tried_smaller() -> None:
    def step(z: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            return np.sqrt(0.2 - z) - np.sqrt(0.2) + z[::-1]

    assert mixes(step, np.zeros((2, 3)))
    assert not mixes(lambda z: np.sqrt(np.where(np.abs(z) < 0.5, 1 + z, np.nan)) - 1, np.zeros((2, 3)))


def test_a_residual_is_the_largest_over_samples() -> None:
    assert residual(np.array([[3.0, 4.0], [1.0, 0.0]]), np.array([[3.0, 5.0], [1.0, 0.5]])) == 0.5
    assert residual(np.zeros((1, 2)), np.ones((1, 2))) > 1e300
    assert residual(np.full((1, 1), 1e-9), np.full((1, 1), 0.5e-9), 1e-3) == pytest.approx(5e-7)
    assert shortest(lambda z: 0 * z, np.array([[3.0, 4.0]])) == shortest(lambda z: z + 3, np.zeros((2, 1))) + 0.002
    assert shortest(lambda z: z + np.inf, Z) == 0


def test_a_solve_ends_at_the_fixed_point_or_where_it_gets_no_further() -> None:
    z, left = settled(lambda z: 0.5 * z + 1, np.zeros((2, 3)), 1000)
    np.testing.assert_allclose(z, 2, rtol=1e-12)
    assert left <= 1e-13
    assert settled(lambda z: z / 2, np.ones((2, 3)), 100)[1] <= 1e-13
    assert settled(lambda z: -z, np.ones((2, 3)), 10**9)[1] == 2
    assert settled(lambda z: np.full_like(z, np.inf), Z, 10**9)[1] == np.inf
    assert last_finite(lambda z: 10 * z, np.ones((1, 1)), 100) == 1e6


def test_what_unfinished_solves_allow() -> None:
    assert allowed("float64") == 1e-8 and allowed("float32") == 1e-3 and allowed("bfloat16") == 0.3
    assert solves(10, 1e-6, 1e-4, 0.5) == pytest.approx(2.2e-4) and solves(10, 0.0, 0.0, 2.0) == 0
    assert allowed("float32", 1e-4) == pytest.approx(2e-3)


def test_a_solve_within_its_tolerance_asks_for_no_spectral_radius() -> None:
    def refuse() -> float:
        raise AssertionError("it was asked for")

    require_solved(1e-3, 1e-3, 60, "picard", refuse)
    check = partial(require_solved, 0.1, 1e-3)
    with pytest.raises(Diverged, match=r"^The solve has a residual of 0\.1, .* of newton \(ρ\(J\) ≈ 1\.5\): raise K"):
        check(6, "newton", lambda: 1.5)
    with pytest.raises(Diverged, match="scale the weights of step down, or raise K"):
        check(6, "picard", lambda: float("nan"))
    with pytest.raises(Diverged, match="look for a NaN in step"):
        require_solved(float("nan"), 1e-3, 60, "picard", lambda: 0.5)
    require_same(np.array(1.0), np.array(1.0))
    require_same(np.array(np.nan), np.array(np.nan))
