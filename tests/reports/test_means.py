"""Geometric means: closed forms, cells that are common, and failures that stay in the count."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import cells
from reports.headline import Group, groups
from reports.means import Entry, boxes, geometric, kind, part, table
from reports.template import render
from tests.damage import MARKUP
from tests.reports.reader import Reader
from tests.reports.suite import TANH
from tests.rows import BACKPROP, GAUSSIAN, GIVEN, Method, Row, results, timed, visit

T2 = 4.302652729911275
"""The 97.5 % point of Student's t with two degrees of freedom."""


def made(rows: list[Row]) -> list[Group]:
    """The groups of some visits."""
    return groups(cells(results(rows)))


def row(ratio: float | str, width: int = 8, method: Method = BACKPROP, framework: str = "torch", **more: object) -> Row:
    """A time visit without noise at one size, or one with a status."""
    what: Row = {"sizes": {"width": width}, "method": method, "framework": framework, **more}
    return visit(measure="time", status=ratio, **what) if isinstance(ratio, str) else timed(ratio, noise=0.0, **what)


def hostile(*ratios: float) -> list[Row]:
    """Visits of torch and jax, every name of which is markup."""
    return [
        row(ratio, framework=framework)
        | {"problem": name, "method": name, "gradient": "", "cell": f"{framework}{ratio}{name}"}
        | {"sizes": {name: 1, "n": n}, "options": {name: name, "ratio": ratio}}
        for n, name in enumerate([*MARKUP, "W" * 64])
        for framework in ("torch", "jax")
        for ratio in ratios or (2.0, 1e9)
    ]


def entries(rows: list[Row]) -> dict[tuple[str, str], Entry]:
    """Entries of the only kind there is, by method and runner."""
    (one,) = table(made(rows))
    return {(name, entry.runner): entry for name, ours in one.methods.items() for entry in ours}


def test_the_mean_of_powers_of_two_and_its_t_interval() -> None:
    # Logarithms are ln 4 and ln 4 ± ln 2: their sd is ln 2.
    entry = entries([row(2.0, 1), row(4.0, 2), row(8.0, 3)])["backprop", "torch"]
    half = T2 * math.log(2) / math.sqrt(3)
    assert entry.mean[:4] == pytest.approx((4.0, 4 * math.exp(-half), 4 * math.exp(half), 3))
    assert (entry.timed, entry.lost, entry.failures) == (3, {}, "")


def test_a_constant_ratio_between_methods_has_no_spread() -> None:
    rows = [row(r, w) for r, w in ((2.0, 1), (4.0, 2), (8.0, 3))]
    rows += [row(r / 2, w, GIVEN) for r, w in ((2.0, 1), (4.0, 2), (8.0, 3))]
    found = entries(rows)["forward gradient, tangents given", "torch"]
    assert found.ratio[:4] == pytest.approx((0.5, 0.5, 0.5, 3))


def test_means_are_over_the_common_cells_and_failures_are_counted() -> None:
    rows = [row(2.0, 1), row(4.0, 2), row(8.0, 3), row(3.0, 1, GIVEN), row("oom", 2, GIVEN), row(12.0, 3, GIVEN)]
    found = entries(rows)
    assert found["backprop", "torch"].mean[0] == pytest.approx(4.0) and found["backprop", "torch"].mean.samples == 2
    other = found["forward gradient, tangents given", "torch"]
    assert other.mean[0] == pytest.approx(6.0) and other.ratio[0] == pytest.approx(1.5)
    assert (other.timed, other.failures) == (2, "1 oom")
    (one,) = table(made(rows))
    assert one.common == {"torch": (2, 3)} and one.base == "backprop"


def test_a_method_of_few_problems_is_told_and_not_compared() -> None:
    rows = [row(2.0, 1), row(4.0, 2), row(8.0, 3), row(10.0, 1, GAUSSIAN), row("timeout", 3, GAUSSIAN)]
    found = entries(rows)
    assert found["backprop", "torch"].mean.samples == 3
    few = found["forward gradient", "torch"]
    assert not few.compared and few.mean.samples == 0 and few.ratio[0] == pytest.approx(5.0)
    built = part(made(rows))
    assert built is not None
    text = render(built)
    assert "not compared" in text and "1 timeout" in text and "torch 3 of 3" in text


def test_half_of_the_problems_are_enough_to_be_compared() -> None:
    found = entries([row(2.0, 1), row(4.0, 2), row(10.0, 1, GAUSSIAN)])
    assert found["forward gradient", "torch"].compared and found["backprop", "torch"].mean.samples == 1


def test_one_problem_gives_the_value_alone_and_says_so() -> None:
    built = part(made([row(2.0), row(3.0, method=GIVEN)]))
    assert built is not None
    text = render(built)
    assert (
        "3.00<small>one problem, no interval</small>" in text and "1.50<small>one problem, no interval</small>" in text
    )
    assert "[one worker]" not in text


def test_frameworks_are_compared_over_the_cells_of_both() -> None:
    rows = [row(r, w, m) for r, w, m in ((2.0, 1, BACKPROP), (4.0, 2, BACKPROP), (5.0, 1, GIVEN))]
    rows += [row(3 * r, w, m, "jax") for r, w, m in ((2.0, 1, BACKPROP), (4.0, 2, BACKPROP), (9.0, 2, GIVEN))]
    (one,) = table(made(rows))
    ((first, second, found),) = one.frameworks
    assert (first, second) == ("torch", "jax")
    assert found[:4] == pytest.approx((3.0, 3.0, 3.0, 2))


def test_explicit_and_implicit_problems_stand_apart() -> None:
    jfb: Row = {"problem": "tanh", "sizes": TANH, "method": ("jfb", {"K": 60})}
    found = made([row(2.0), timed(1.1, noise=0.0, **jfb)])
    assert {group.problem: kind(group) for group in found} == {"mlp": "explicit", "tanh": "implicit"}
    assert [(one.name, one.base) for one in table(found)] == [("explicit", "backprop"), ("implicit", "JFB")]


def test_a_problem_counts_once_a_size_dtype_and_seed() -> None:
    found = made([row(2.0), row(4.0, dtype="float64"), row(8.0, seed=1)])
    (one,) = table(found)
    assert one.methods["backprop"][0].mean.samples == 3
    built = part(found)
    assert built is not None
    assert "each problem at one size and one K, in one dtype and from one seed, counted once" in render(built)


def test_options_that_differ_in_one_problem_make_boxes_of_their_own() -> None:
    jfb = [("jfb", {"K": K, "solver": "picard"}) for K in (5, 9)]
    rows = [row(2.0, 1, jfb[0]), row(3.0, 1, jfb[1]), row(4.0, 2, jfb[1]), row(6.0, 2, ("unrolled", {"K": 9}))]
    found = boxes(made(rows))
    assert {name: sorted(of["torch"]) for name, of in found.items()} == {
        "unrolled": [1],
        "JFB (K 5)": [0],
        "JFB (K 9)": [0, 1],
    }


def test_where_all_failed_there_is_a_count_and_no_part() -> None:
    found = made([row("oom"), row("wrong", method=GIVEN), row("n/a", 9, GIVEN)])
    assert part(found) is None and part([]) is None and table([]) == []
    (one,) = table(found)
    assert {name: ours[0].lost for name, ours in one.methods.items()} == {
        "backprop": {"oom": 1},
        "forward gradient, tangents given": {"wrong": 1, "n/a": 1},
    }
    assert one.common == {"torch": (0, 0)} and one.frameworks == [] and one.base == ""


def test_names_are_only_text() -> None:
    built = part(made(hostile()))
    assert built is not None
    reader = Reader(render(built))
    assert reader.stack == [] and not {tag for tag, _ in reader.tags} & {"script", "img"}
    assert "means.csv" in dict(reader.tags)["a"]["href"]


@given(st.lists(st.floats(1e-16, 1e16), min_size=1, max_size=9))
def test_a_geometric_mean_turns_with_its_values(values: list[float]) -> None:
    found, turned = geometric(values), geometric(1 / value for value in values)
    assert found.value * turned.value == pytest.approx(1)
    assert min(values) * (1 - 1e-9) <= found.value <= max(values) * (1 + 1e-9)
    assert math.isnan(found.low) if len(values) == 1 else found.low <= found.value * (1 + 1e-9)
