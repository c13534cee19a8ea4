"""What a plan says beyond the rows: what was never made, and what fewer workers made than planned."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.cautions import cautions
from reports.frame import cells
from reports.load import NO_ROW, NOT_RUN, Failure, gaps, newest, newest_papers, newest_peers, read, unfinished
from reports.papers import Papers
from tests.rows import BACKPROP, GAUSSIAN, Row, exact, part, results, run, timed, visit, write

ROOT = Path(__file__).parents[2]

NEVER = "torch/eager/cpu/float32/cnn(batch=64)/backprop()"
TWICE = [timed(2.0, worker, method=BACKPROP) for worker in range(2)]
SHORT = timed(2.0, 0, method=GAUSSIAN)
LOST = visit(problem="logistic", measure="time", status="oom", reason="Too large.")
BYTES = exact(1, problem="tanh")
CELLS = [NEVER, *(row["cell"] for row in (TWICE[0], SHORT, LOST, BYTES))]
DONE, HALF, NONE = (part("training", [{"loss": 1.0}], seed=seed) for seed in range(3))


def of(*rows: Row, **planned: object) -> dict[str, list[Failure]]:
    """What is missing of rows and of one plan for two workers."""
    return gaps(results(rows, workers=2, **planned))


def test_a_cell_without_rows_and_one_with_too_few_workers() -> None:
    # What has failed is told as failed, and bytes need no workers.
    found = of(*TWICE, SHORT, LOST, BYTES, experiments={"ratios": CELLS, "depth": [NEVER]})
    assert found["ratios"] == [
        Failure(NEVER, NOT_RUN, NO_ROW),
        Failure(SHORT["cell"], NOT_RUN, "timed by 1 of 2 workers"),
    ]
    assert found["depth"] == [Failure(NEVER, NOT_RUN, NO_ROW)]


def test_a_part_is_planned_once_for_each_worker() -> None:
    planned = [row["cell"] for row in (DONE, HALF, HALF, NONE, NONE)]
    assert of(DONE, HALF, HALF, parts=planned) == {
        "training": [
            Failure(HALF["cell"], NOT_RUN, "made by 1 of 2 workers"),
            Failure(NONE["cell"], NOT_RUN, NO_ROW),
        ]
    }
    assert of(DONE, HALF, HALF | {"worker": 1}, NONE | {"status": "failed"}, parts=planned[:4]) == {}


def test_a_run_that_goes_on_from_another_has_the_same_plan() -> None:
    runs = [run(name, parts=[DONE["cell"], HALF["cell"]]) for name in ("0" * 12, "1" * 12)]
    found = Papers(results([*runs, DONE, HALF | {"run": "1" * 12}]))
    assert found.missing("training") == [] and found.missing("no such experiment") == []


def test_the_last_plan_of_an_experiment_takes_the_place_of_earlier_ones() -> None:
    first = run("0" * 12, parts=[DONE["cell"], NONE["cell"]], experiments={"ratios": [NEVER], "training": []})
    later = run("1" * 12, parts=[DONE["cell"]], experiments={"training": []}) | {"started": "2026-03-01T11:00:00Z"}
    old = part("training", [{"loss": 9.0}], seed=7)
    found = Papers(results([later, first, DONE, old]))
    assert found.records("training")["loss"].tolist() == [1.0]
    assert found.missing("training") == [] and found.missing("ratios") == [Failure(NEVER, NOT_RUN, NO_ROW)]


VERDICT = {"kind": "verdict", "schema": 1, "run": "0" * 12, "surprises": []}
GRID = [*TWICE, LOST, BYTES]
PLANNED = [row["cell"] for row in (TWICE[0], LOST, BYTES)]


def left(folder: Path, *rows: Row, **planned: object) -> str:
    """How much a file lacks of a plan for two workers; the page's cautions begin with it."""
    found = read(write(folder / "some.jsonl", [run(workers=2, **planned), *rows]))
    told = cautions(found, cells(found))
    assert (told[:1] == [unfinished(found)]) == bool(unfinished(found))
    return unfinished(found)


def test_a_grid_is_finished_when_its_run_has_ended_and_every_cell_has_its_rows(tmp_path: Path) -> None:
    assert left(tmp_path, *GRID, VERDICT, cells=PLANNED) == ""
    assert left(tmp_path, *GRID, VERDICT, cells=[*PLANNED, NEVER]) == (
        "The run did not finish: of 4 planned cells 1 has no row; the same command goes on from there."
    )
    assert "1 was timed by fewer workers than planned; the same" in left(tmp_path, *GRID[1:], VERDICT, cells=PLANNED)
    assert "it has no verdict, and cells may lack their times" in left(tmp_path, *GRID, cells=PLANNED)
    assert left(tmp_path, *GRID, cells=PLANNED, preset="own") == "", "gradratio.compare writes its rows at once"


def test_the_last_plan_of_a_cell_says_how_many_workers_time_it(tmp_path: Path) -> None:
    later = run("1" * 12, started="2026-03-02T10:00:00Z", workers=1, cells=PLANNED)
    assert left(tmp_path, *GRID[1:], later, VERDICT | {"run": "1" * 12}, cells=PLANNED) == ""


def test_parts_are_counted_and_runs_of_parts_alone_have_no_verdict(tmp_path: Path) -> None:
    planned = [DONE["cell"], HALF["cell"]]
    assert left(tmp_path, DONE, HALF, parts=planned, cells=[]) == ""
    assert left(tmp_path, DONE, parts=planned, cells=[]) == (
        f"The run did not finish: of its plan 1 lacks rows, such as {HALF['cell']} ({NO_ROW}); the same command goes "
        "on from there."
    )


@pytest.mark.parametrize("kept", [2, 200, -2, -1])
def test_a_committed_file_that_is_cut_is_not_finished(kept: int, tmp_path: Path) -> None:
    """In the exact visits, in the timed ones, before the last of these, and before the verdict."""
    lines = (ROOT / "results" / "6442a9bc0553" / "quick.jsonl").read_bytes().splitlines(keepends=True)
    path = tmp_path / "cut.jsonl"
    path.write_bytes(b"".join(lines))
    assert unfinished(read(path)) == ""
    path.write_bytes(b"".join(lines[:kept]))
    assert unfinished(read(path))


@pytest.mark.parametrize("name", ["quick", "papers-quick", "peers-quick"])
def test_an_interrupted_run_is_never_the_newest_where_another_is_complete(name: str, tmp_path: Path) -> None:
    choose = {"quick": newest, "papers-quick": newest_papers, "peers-quick": newest_peers}[name]
    whole = write(tmp_path / "aaaa" / f"{name}.jsonl", [run(workers=2, cells=PLANNED), *GRID, VERDICT])
    later = run(workers=2, cells=[*PLANNED, NEVER], started="2026-04-01T00:00:00Z")
    begun = write(tmp_path / "local" / f"{name}.jsonl", [later, *GRID])
    notes: list[str] = []
    assert choose(tmp_path, notes) == whole
    (note,) = notes
    assert note.startswith("quick.jsonl is newer than" if name == "quick" else f"{name}.jsonl is newer than")
    assert note.endswith("of 4 planned cells 1 has no row; the same command goes on from there.")
    whole.unlink()
    assert choose(tmp_path, notes) == begun and len(notes) == 1, "the page's own caution tells then"
