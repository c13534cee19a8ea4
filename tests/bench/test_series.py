"""When one cell is larger than another of its series."""

from __future__ import annotations

import pytest

from bench.cell import Cell
from bench.series import larger


def cell(K: int = 10, width: int = 8, method: str = "ift", solver: str = "picard", gamma: float = 0.8) -> Cell:
    return Cell("torch", "tanh", method, {"width": width, "gamma": gamma}, {"K": K, "linear_solver": solver})


@pytest.mark.parametrize("one", [cell(K=20), cell(width=9), cell(K=20, width=9)])
def test_larger(one: Cell) -> None:
    assert larger(one, cell())
    assert not larger(cell(), one)


@pytest.mark.parametrize(
    "one",
    [
        cell(),
        cell(K=20, width=7),
        cell(K=20, method="jfb"),
        cell(K=20, solver="gmres"),
        cell(K=20, gamma=0.9),
        Cell("torch", "tanh", "ift", {"width": 8, "gamma": 0.8}, {"K": 20}),
        Cell("jax", "tanh", "ift", {"width": 8, "gamma": 0.8}, {"K": 20, "linear_solver": "picard"}),
    ],
)
def test_not_of_the_same_series_or_not_larger_in_every_way(one: Cell) -> None:
    assert not larger(one, cell())
