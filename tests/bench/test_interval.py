"""The interval: its closed form, and that it covers what it says."""

from __future__ import annotations

import math
import random

import pytest

from bench.instruments.interval import t_interval_log, worker_ratio


def test_the_ratio_of_a_worker_is_the_median_of_its_pairs() -> None:
    assert worker_ratio([1.0, 2.0, 4.0], [3.0, 4.0, 40.0]) == 3.0  # the pairs give 3, 2, 10


def test_two_values_by_hand() -> None:
    # Logarithms 0 and 2: mean 1, sd √2, t(1 degree of freedom, 97.5 %) = tan(0.475 π).
    middle, low, high = t_interval_log([1.0, math.e**2])
    reach = math.tan(0.475 * math.pi)
    assert middle == pytest.approx((1 + math.e**2) / 2)
    assert low == pytest.approx(math.exp(1 - reach)) and high == pytest.approx(math.exp(1 + reach))


def test_equal_values_have_an_interval_of_no_width() -> None:
    assert t_interval_log([2.0] * 8) == pytest.approx((2.0, 2.0, 2.0))


def test_one_worker_has_no_interval() -> None:
    assert t_interval_log([2.0]) == (2.0, None, None)


def pairs_of_a_worker(draw: random.Random, ratio: float) -> tuple[list[float], list[float]]:
    """Seconds of 15 pairs: the process has a ratio of its own (sd 2 %), the machine drifts and both calls are noisy."""
    own, drift = ratio * draw.lognormvariate(0, 0.02), draw.uniform(-0.02, 0.02)
    forward = [1e-3 * math.exp(drift * n) * draw.lognormvariate(0, 0.05) for n in range(15)]
    gradient = [own * 1e-3 * math.exp(drift * n) * draw.lognormvariate(0, 0.05) for n in range(15)]
    return forward, gradient


@pytest.mark.parametrize("workers", [2, 8])
def test_95_percent_of_intervals_cover_the_truth(workers: int) -> None:
    draw, repeats, covered = random.Random(1), 4000, 0
    for _ in range(repeats):
        ratios = [worker_ratio(*pairs_of_a_worker(draw, 2.5)) for _ in range(workers)]
        _, low, high = t_interval_log(ratios)
        assert low is not None and high is not None
        covered += low < 2.5 < high
    assert abs(covered / repeats - 0.95) < 0.01  # 2.9 standard errors of 4 000 repeats


def test_scaling_all_values_scales_the_interval() -> None:
    one, other = t_interval_log([1.9, 2.0, 2.3, 2.1]), t_interval_log([3 * 1.9, 3 * 2.0, 3 * 2.3, 3 * 2.1])
    assert other == pytest.approx([3 * end for end in one if end is not None])
