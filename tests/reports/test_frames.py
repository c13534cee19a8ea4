"""Samples and cells: which visits count, what a failure leaves, and the labels."""

from __future__ import annotations

from math import isnan
from typing import Any

import pandas as pd
import pytest

from reports import Results, cells, missing, samples
from reports.labels import COLOURS, colour, label
from tests.rows import Row, exact, timed, visit
from tests.rows import results as made


def row(*visits: Row) -> Any:
    """The one row of the frame of cells."""
    frame = cells(made(visits))
    assert len(frame) == 1
    return frame.iloc[0]


def test_r_is_the_median_over_workers_of_the_median_over_pairs() -> None:
    found = row(*(timed(ratio, worker, noise=0) for worker, ratio in enumerate((2.0, 3.0, 4.0))))
    assert found["R"] == pytest.approx(3.0)
    assert found["R_min"] == pytest.approx(2.0)
    assert (found["workers"], found["pairs"]) == (3, 27)
    assert found["forward_s"] == pytest.approx(0.002)
    assert found["R_low"] < 3 < found["R_high"]


def test_the_last_ok_visit_counts() -> None:
    failed = visit(measure="time", status="timeout", reason="slow")
    assert row(failed, timed(2.0, noise=0))["R"] == pytest.approx(2)
    assert row(timed(2.0, noise=0), failed)["R"] == pytest.approx(2)
    assert row(timed(2.0, noise=0), timed(5.0, noise=0))["R"] == pytest.approx(5)


@pytest.mark.parametrize("status", ["timeout", "oom", "wrong", "diverged", "failed", "n/a"])
def test_one_failing_worker_withholds_r_and_is_named(status: str) -> None:
    found = row(timed(2.0, 0), visit(measure="time", worker=1, status=status, reason="Why."), exact(100))
    assert isnan(found["R"])
    assert found["status"] == status
    assert found["reason"] == "1 of 3 visits: Why."
    assert isnan(found["peak_bytes"]) == (status in ("wrong", "diverged"))


def test_a_failure_without_a_reason_says_so() -> None:
    assert row(visit(status="failed"))["reason"] == "no reason was recorded"


def test_missing_measures_are_empty() -> None:
    only_time, only_exact = row(timed(2.0)), row(exact(10))
    assert only_time["exact_status"] == "" and isnan(only_time["peak_bytes"])
    assert only_time["oracle_deviation"] == pytest.approx(1e-7)
    assert only_exact["time_status"] == "" and isnan(only_exact["R"]) and only_exact["peak_bytes"] == 10


def test_pairs_with_a_time_that_no_call_takes_are_left_out() -> None:
    odd = timed(2.0) | {"samples": {"forward_s": [1e-12, 1.0, 1.0], "gradient_s": [2.0, 2.0, 1e-10]}}
    found = samples(made([odd]))
    assert list(found["pair"]) == [1]
    assert row(odd)["pairs"] == 1


def test_no_usable_pair_is_a_failure() -> None:
    found = row(timed(2.0) | {"samples": {"forward_s": [1e-12], "gradient_s": [1.0]}})
    assert (found["status"], found["reason"]) == ("failed", "no usable pair of times was recorded")


def test_samples_have_a_row_a_pair(results: Results) -> None:
    found = samples(results)
    assert len(found) == 9 * (8 * 22 + 1)
    assert (found["R"] == found["gradient_s"] / found["forward_s"]).all()


def test_missing_cells_are_those_that_were_planned_and_not_visited(results: Results) -> None:
    assert missing(results) == ["jax/jit/cpu/float32/newton(batch=64,width=64)/jfb(K=6)"]


def test_every_status_is_kept(frame: pd.DataFrame) -> None:
    assert set(frame["status"]) == {"ok", "timeout", "oom", "wrong", "diverged", "failed", "n/a"}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("backprop", {}), "backprop"),
        (("forward_gradient", {}, "forward_gradient"), "forward gradient"),
        (("forward_gradient", {"tangents": "given"}, "forward_gradient"), "forward gradient, tangents given"),
        (("forward_gradient", {"tangents": "sphere"}, "forward_gradient"), "forward gradient, sphere"),
        (("unrolled", {"K": 3}), "unrolled"),
        (("ift", {"linear_solver": "picard"}), "IFT, Picard"),
        (("ift", {"linear_solver": "gmres"}), "IFT, GMRES"),
        (("ift", {"linear_solver": "normal_cg"}), "IFT, normal CG"),
        (("ift", {"linear_solver": "normal_cg_published"}), "IFT, normal CG as published"),
        (("ift", {"linear_solver": "bicgstab"}), "IFT, BiCGStab"),
        (("ift", {"linear_solver": "anderson"}), "IFT, Anderson"),
        (("ift", {"linear_solver": "dense"}), "IFT, dense"),
        (("ift_reused", {"K": 6}), "IFT, Newton's factors"),
        (("ift", {}), "IFT"),
        (("jfb", {}), "JFB"),
        (("jfb", {}, "forward_gradient"), "forward gradient × JFB"),
        (("new_method", {}), "new method"),
    ],
)
def test_labels(arguments: tuple[Any, ...], expected: str) -> None:
    assert label(*arguments) == expected


def test_every_known_method_has_its_own_colour() -> None:
    assert len(set(COLOURS.values())) == len(COLOURS)
    assert colour("something else") not in COLOURS.values()
