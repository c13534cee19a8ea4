"""Groups of cells: how they are told apart and cut."""

from __future__ import annotations

from reports import cells
from reports.headline import by_steps, groups
from tests.rows import results, timed


def test_groups_of_one_problem_are_told_apart_by_what_differs() -> None:
    rows = [
        timed(2.0, problem="tanh", cell=f"tanh{width}", sizes={"width": width, "batch": 8, **more})
        for width, more in ((16, {"kind": "symmetric"}), (32, {}))
    ]
    found = results([*rows, timed(2.0, problem="mlp", cell="mlp")])
    titles = {group.title for group in groups(cells(found))}
    assert titles == {"tanh, width 16", "tanh, width 32", "mlp"}  # what one of them does not name tells nothing


def test_a_group_with_solves_of_several_lengths_is_cut_by_length() -> None:
    sizes = {"batch": 8, "width": 16}
    rows = [
        timed(ratio, worker, problem=problem, sizes=sizes, method=("jfb", {"K": K}))
        for worker in range(2)
        for problem, K, ratio in (("tanh", 40, 2.0), ("tanh", 160, 3.0), ("fpn", 30, 4.0))
    ]
    found = groups(cells(results([timed(2.0), *rows])))
    cut = by_steps(found)
    assert [(one.title, [row["options"].get("K") for row in one.rows]) for one in cut] == [
        ("mlp", [None]),
        ("tanh, K 40", [40]),
        ("tanh, K 160", [160]),
        ("fpn", [30]),
    ]
