"""docs/results.md names every field and column that there is, with its type, and none that there is not."""

from __future__ import annotations

import json
import re

import pytest

from reports import columns, layout
from reports.frames import SEVERITY
from reports.rows import SCHEMA
from tests.docs.markdown import ROOT

PAGE = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
TABLES = {
    "run": (layout.RUN, layout.RUN_MAY),
    "machine": ({}, layout.MACHINE_MAY),
    "visit": (layout.VISIT, layout.VISIT_MAY),
    "conditions": ({}, layout.CONDITIONS_MAY),
    "part": (layout.PART, layout.PART_MAY),
    "verdict": (layout.VERDICT, {}),
    "surprise": (layout.SURPRISE, layout.SURPRISE_MAY),
}
ALWAYS = {"kind": "text", "schema": "whole number"}
"""Checked by ``reports.rows`` itself, of every line."""

COMMITTED = sorted(path for path in ROOT.glob("results/*/*.jsonl") if path.parent.name not in ("local", "gate"))


def table(heading: str) -> list[dict[str, str]]:
    """The rows of the first table below a heading; one that names several things becomes several."""
    body = re.split(r"^#+ ", PAGE[PAGE.index(f"# {heading}\n") + 2 :], maxsplit=1, flags=re.MULTILINE)[0]
    lines = [line.split("|")[1:-1] for line in body.splitlines() if line.startswith("|")]
    head, _, *rows = [[cell.strip() for cell in line] for line in lines]
    named = [dict(zip(head, row, strict=True)) for row in rows]
    return [row | {head[0]: name} for row in named for name in re.findall(r"`([^`]+)`", row[head[0]])]


def written() -> dict[str, set[str]]:
    """The fields of each kind of line, and of the tables in them, in the committed results."""
    found: dict[str, set[str]] = {}
    for path in COMMITTED:
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            found.setdefault(row["kind"], set()).update(row)
            found.setdefault("machine", set()).update(row.get("machine") or {})
            found.setdefault("conditions", set()).update(row.get("conditions") or {})
            found.setdefault("values", set()).update(row.get("values") or {})
            found.setdefault("samples", set()).update(row.get("samples") or {})
    return found


@pytest.fixture(scope="module")
def fields() -> dict[str, set[str]]:
    return written()


@pytest.mark.parametrize("kind", TABLES)
def test_fields_of_a_line_are_those_that_are_read(kind: str) -> None:
    needed, may = TABLES[kind]
    typed = {name: words.replace("a ", "") for name, (_, words) in (needed | may).items()}
    asked = dict.fromkeys(needed, "yes")
    if kind in ("run", "visit", "part", "verdict"):
        typed, asked = typed | ALWAYS, asked | dict.fromkeys(ALWAYS, "yes")
    rows = {row["field"]: row for row in table(kind)}
    assert {name: rows[name]["type"] for name in typed if name in rows} == typed
    assert {name: row["needed"] for name, row in rows.items() if row["needed"]} == asked


@pytest.mark.parametrize("kind", [kind for kind in TABLES if kind != "surprise"])
def test_fields_of_a_line_are_those_that_are_written(kind: str, fields: dict[str, set[str]]) -> None:
    assert {row["field"] for row in table(kind)} == fields[kind]


def test_values_are_those_that_are_read_and_written(fields: dict[str, set[str]]) -> None:
    named = {row["value"]: row["measure"] for row in table("Values of a visit")}
    assert set(named) == {*columns.EXACT, *columns.TIMES, "checked_batch"} >= fields["values"]
    exact, time = set(columns.EXACT), set(columns.TIMES)
    assert {name for name, measure in named.items() if measure == "both"} == exact & time
    assert {name for name, measure in named.items() if measure == "time"} == time - exact
    assert fields["samples"] == {"forward_s", "gradient_s"}


def test_columns_are_those_of_the_frames() -> None:
    assert [row["column"] for row in table("Columns of `frames.samples`")] == list(columns.SAMPLE)
    named = [row["column"] for row in table("Columns of `frames.cells`")]
    assert len(named) == len(set(named)) and set(named) == set(columns.CELL)


def test_numbers_have_a_unit() -> None:
    rows = table("Columns of `frames.cells`")
    assert {row["column"] for row in rows if row["unit"]} == set(columns.NUMBERS)
    assert all(row["unit"] for row in table("Values of a visit"))


def test_statuses_are_those_that_there_are() -> None:
    assert [row["status"] for row in table("Statuses")] == list(layout.STATUSES)
    assert f"in the order {', '.join(SEVERITY)}." in PAGE.replace("\n", " ")
    assert f"| {SCHEMA}, the version" in PAGE
