"""What differs from the publication stands beside the number, and a published value is held to published conditions."""

from __future__ import annotations

from reports.claims.verdict import HOLDS, UNKNOWN
from reports.paper_figures.ratios import ratios
from tests.reports.claims import implicit_worlds as implicit
from tests.reports.claims import worlds
from tests.reports.claims.test_claims import became
from tests.rows import BACKPROP, GAUSSIAN


def test_a_published_speedup_needs_the_published_conditions() -> None:
    for other in (implicit.epochs(1.6, "digits"), implicit.epochs(1.6, gamma=0.9), implicit.epochs(1.6, tol=1e-3)):
        assert became("jfb-speedup", other).verdict == UNKNOWN
        assert became("jfb-faster", other).verdict == HOLDS
    found = became("jfb-speedup", implicit.epochs(1.6))
    assert found.cases[0].name == "jax, mnist5k, γ 0.5, tolerance 0.1, normal CG"


def test_a_model_that_is_not_the_published_one_says_so() -> None:
    sizes = {"batch": 16}
    rows = worlds.cell(4.0, "cnn", BACKPROP, sizes) + worlds.cell(2.0, "cnn", GAUSSIAN, sizes)
    rows += worlds.bytes_of("cnn", BACKPROP, sizes, forward_flops=2e6)
    (case, _) = became("baydin-reverse-cost", worlds.papers({"ratios": rows})).cases
    assert case.note == "batch 16 (published 64); forward at 1.00 Gflop/s"
    (same, *_) = became("baydin-reverse-cost", worlds.ratios(2, 4)).cases
    assert same.note == ""


def test_the_nets_along_depth_say_their_width() -> None:
    for case in became("baydin-depth-faster", worlds.depths(0.5, 0.8)).cases:
        assert case.conditions["width"] == "256" and case.note == "width 256 (published 1024)"


def test_every_axis_is_told_below_the_figure() -> None:
    basis = ("forward_gradient", {"tangents": "basis", "count": 650})
    sizes = {"inputs": 64, "batch": 64}
    rows = worlds.cell(300.0, "logistic", basis, sizes) + list(worlds.ratios(2, 4).results.visits)
    rows += worlds.bytes_of("mlp", BACKPROP, {"batch": 64}, forward_flops=2e6)
    drawn = ratios(worlds.papers({"ratios": rows}))
    assert drawn is not None
    assert drawn.caption.endswith(
        "Forwards achieve mlp 1.00 Gflop/s (torch), 1.00 Gflop/s (jax). Along all n = 650 axes of logistic forward "
        "gradient is exact and takes R = 300 [300, 300] (torch), 300 [300, 300] (jax)."
    )
