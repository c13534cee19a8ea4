"""What the figures say: the numbers behind them, held against those that the rows were made from."""

from __future__ import annotations

import pandas as pd
import pytest
from matplotlib.figure import Figure

from reports.draw import Drawing
from reports.paper_figures.points import Point
from reports.paper_figures.work_precision import _Front

Drawn = list[tuple[str, Drawing]]


@pytest.fixture(scope="module")
def data(drawn: Drawn) -> dict[str, pd.DataFrame]:
    """The data of each figure by its name."""
    return {drawing.name: drawing.data for _, drawing in drawn}


def test_an_epoch_is_counted_in_steps_of_jfb(data: dict[str, pd.DataFrame]) -> None:
    found = data["papers-epochs"].set_index(["label", "runner"])["value"]
    assert found["GMRES", "torch"] == pytest.approx((4 / 1 + 4.01 / 1.01) / 2)
    assert "JFB" not in found.index.get_level_values("label")


def test_published_numbers_stand_beside_ours_under_their_own_name(data: dict[str, pd.DataFrame]) -> None:
    for name, count in (("papers-ratios", 4), ("papers-depth", 8), ("papers-memory-steps", 4)):
        theirs = data[name]["runner"].str.startswith("published")
        assert theirs.sum() == count and not theirs.all()


def test_memory_is_counted_in_copies_of_the_parameters(data: dict[str, pd.DataFrame]) -> None:
    deep = data["papers-depth-memory"].groupby("label")["value"].agg(["min", "max"])
    # The parameters and one copy that the call allocates; given tangents are a third.
    assert deep.loc["backprop"].tolist() == [2, 2] and deep.loc["tangents given"].tolist() == [3, 3]
    again = data["papers-depth-batch"].query("label == 'tangents drawn again'")
    assert again["value"].min() == pytest.approx(1 + (2**18 + 2 * 64 * 1024) / 2**22)
    assert again["batch ÷ width"].tolist() == [64 / 256, 4, 64] * 2


def test_seconds_of_training_are_iterations_times_those_of_a_step(data: dict[str, pd.DataFrame]) -> None:
    found = data["papers-training"]
    for method, seconds in (("backprop", 2e-4), ("forward_gradient", 3e-4)):
        ours = found[found["method"] == method]
        assert ours["seconds"].tolist() == pytest.approx((ours["iteration"] * seconds).tolist())
    assert set(found[found["protocol"] == "tuned"]["rate"]) == {0.1}
    assert found["error"].max() == pytest.approx(91)


def test_a_neumann_series_of_order_0_has_one_term(data: dict[str, pd.DataFrame]) -> None:
    errors = data["papers-neumann"].query("quantity == 'gradient error' and runner == 'torch'")
    assert dict(zip(errors["k + 1 terms"], errors["value"], strict=True))[1] == pytest.approx(0.8)


def test_descent_is_a_share_of_draws(data: dict[str, pd.DataFrame]) -> None:
    found = data["papers-descent"]
    shares = found[found["quantity"] == "share that descends"]
    assert set(shares.loc[shares["κ(MᵀM)"] == 1e4, "value"]) == {0}
    assert set(shares.loc[shares["κ(MᵀM)"] == 1, "value"]) == {1}


def test_a_norm_below_rounding_is_not_drawn(data: dict[str, pd.DataFrame]) -> None:
    found = data["papers-chain"]
    # Newton's after 10 steps is 0.9 to the power of 1024.
    assert found[found["runner"] == "Newton"]["K (steps)"].tolist() == [1, 2, 5]


def test_the_front_is_the_least_error_that_each_price_buys() -> None:
    axes = Figure().subplots()
    points = [Point("", "", x, y, panel="here") for x, y in ((3, 0.1), (1, 0.5), (2, 0.9), (4, 0.2))]
    _Front([*points, Point("", "", 1, 1e-9, panel="there")])(axes, "", "here")
    (stairs,) = axes.get_lines()
    assert stairs.get_xdata().tolist()[:4] == [1, 2, 3, 4]
    assert stairs.get_ydata().tolist() == [0.5, 0.5, 0.1, 0.1, 0.1]
