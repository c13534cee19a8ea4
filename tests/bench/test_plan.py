"""The plan: who visits what, and in which order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bench.cells import Cell
from bench.plan import Visit, tours

CELLS = [
    Cell(framework, "tanh", "ift", {"width": width}, measures=measures)
    for framework in ("torch", "jax")
    for width in range(1, 5)
    for measures in [("time", "exact") if width < 3 else ("exact",) if width == 3 else ("time",)]
]
KEYS = [visit.key for tour in tours(CELLS, 3) for visit in tour]


@given(st.sets(st.sampled_from(KEYS)))
def test_every_visit_is_planned_once_unless_done(done: set[tuple[str, str, int]]) -> None:
    planned = [visit.key for tour in tours(CELLS, 3, done) for visit in tour]
    assert len(planned) == len(set(planned))
    assert set(planned) == set(KEYS) - done
    assert planned == [key for key in KEYS if key not in done]  # a resumed run keeps the order


def test_a_tour_is_of_one_framework_one_measure_and_one_worker() -> None:
    plan = tours(CELLS, 3)
    assert [(tour[0].measure, tour[0].cell.framework, tour[0].worker) for tour in plan] == [
        ("exact", "torch", 0),
        ("exact", "jax", 0),
        *[("time", framework, worker) for worker in range(3) for framework in ("torch", "jax")],
    ]
    for tour in plan:
        assert len({(visit.measure, visit.cell.framework, visit.worker) for visit in tour}) == 1


def test_exact_visits_keep_the_order_given_and_workers_shuffle_theirs_in_the_same_way_each_time() -> None:
    cells = [Cell("torch", "tanh", "ift", {"width": width}) for width in range(1, 30)]
    exact, *timed = tours(cells, 4)
    assert [visit.cell for visit in exact] == cells
    orders = [tuple(visit.cell for visit in tour) for tour in timed]
    assert len(set(orders)) == 4 and all(set(order) == set(cells) for order in orders)
    assert tours(cells, 4) == [exact, *timed]


def test_nothing_to_do_is_an_empty_plan() -> None:
    assert tours([], 8) == [] and tours(CELLS, 3, KEYS) == []
    assert Visit(CELLS[0], "time", 1).key == (CELLS[0].id, "time", 1)
