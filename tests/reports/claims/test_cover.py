"""The compressed wording of conditions: it says exactly the wanted cases."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.claims.claim import Case
from reports.claims.cover import cover, covering

GRID = [
    Case({"framework": framework, "problem": problem, "depth": depth}, 1, 1, 1)
    for framework, problem, depth in product(("torch", "jax"), ("mlp", "cnn"), ("1", "3", "10"))
]


def said(*wanted: int) -> str:
    """The wording for some of the cases."""
    return cover([GRID[place] for place in wanted], GRID)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (range(6), "torch"),
        (range(12), "torch and jax"),
        ([0, 3, 6, 9], "depth 1"),
        ([0, 1, 3, 4, 6, 7, 9, 10], "depth 1, 3"),
        ([*range(6), 6, 9], "torch; depth 1"),
        ([0, 1], "torch, mlp, depth 1, 3"),
        ([*range(6), 8], "torch; mlp, depth 10"),
    ],
)
def test_wording(wanted: list[int], words: str) -> None:
    assert said(*wanted) == words


@settings(max_examples=50, deadline=None)
@given(st.sets(st.integers(min_value=0, max_value=11)))
def test_conditions_are_met_by_the_wanted_cases_alone(places: set[int]) -> None:
    wanted = [GRID[place] for place in sorted(places)]
    found = covering(wanted, GRID)
    met = [case for case in GRID if any(dict(one).items() <= dict(case.conditions).items() for one in found)]
    assert met == wanted


def test_cases_that_share_their_conditions_end() -> None:
    twin = Case({"framework": "torch"}, 1, 1, 1), Case({"framework": "torch"}, 2, 2, 2)
    assert cover(twin[:1], twin) == "torch"
    assert cover([Case({}, 1, 1, 1)], [Case({}, 1, 1, 1)]) == "all"


def test_many_phrases_are_counted() -> None:
    cases = [Case({"framework": f"f{n}", "depth": str(n)}, 1, 1, 1) for n in range(20)]
    assert cover(cases[::2], cases) == "f0, f2, f4, f6, f8, f10, f12, f14 and 2 more"
    diagonal = [Case({"a": str(n), "b": str(m)}, 1, 1, 1) for n in range(9) for m in range(9)]
    assert cover([one for one in diagonal if one.conditions["a"] == one.conditions["b"]], diagonal).endswith(
        "and 3 more"
    )
