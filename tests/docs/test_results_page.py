"""docs/results.md names every field and column that there is, with its type, and none that there is not."""

from __future__ import annotations

import json
import re
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from msgspec.structs import fields as fields_of

from bench import rows
from reports import frame
from tests.docs.markdown import ROOT

PAGE = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
KINDS = {
    "run": rows.RunRow,
    "machine": rows.Machine,
    "visit": rows.VisitRow,
    "conditions": rows.Conditions,
    "part": rows.PartRow,
    "verdict": rows.VerdictRow,
    "surprise": rows.Surprise,
}
LINES = ("run", "visit", "part", "verdict")
OF_A_GATE = {"status", "findings", "control"}
"""Fields of a verdict that no run has."""

WORDS = {str: "text", bool: "true or false", int: "whole number", float: "number", list: "list"}


def words(hint: Any) -> str:
    """The type of a field as the page has it."""
    if get_origin(hint) in (Union, UnionType):
        found = [words(one) for one in get_args(hint) if one is not NoneType]
        kinds = list(dict.fromkeys(reversed(found)))
        return "number" if set(kinds) == {"number", "whole number"} else " or ".join(kinds)
    if get_origin(hint) is Literal:
        return words(type(get_args(hint)[0]))
    if get_origin(hint) is Annotated:
        return words(get_args(hint)[0])
    return WORDS.get(get_origin(hint) or hint, "table")


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


@pytest.mark.parametrize("kind", KINDS)
def test_fields_of_a_line_are_those_that_are_read(kind: str) -> None:
    hints = get_type_hints(KINDS[kind], include_extras=True)
    known = {one.name: one for one in fields_of(KINDS[kind]) if one.name not in OF_A_GATE or kind != "verdict"}
    typed = {name: words(hints[name]) for name in known} | ({"kind": "text"} if kind in LINES else {})
    asked = {name for name, one in known.items() if one.required} | ({"kind"} if kind in LINES else set())
    found = {row["field"]: row for row in table(kind)}
    assert {name: row["type"] for name, row in found.items()} == typed
    assert {name for name, row in found.items() if row["needed"] == "yes"} == asked


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "surprise"])
def test_fields_of_a_line_are_those_that_are_written(kind: str, fields: dict[str, set[str]]) -> None:
    assert {row["field"] for row in table(kind)} == fields[kind]


def test_values_are_those_that_are_read_and_written(fields: dict[str, set[str]]) -> None:
    named = {row["value"]: row["measure"] for row in table("Values of a visit")}
    assert set(named) == set(rows.Values.__struct_fields__) >= fields["values"]
    exact, time = {*frame.EXACT, "checked_batch"}, set(frame.TIMES)
    assert {name for name, measure in named.items() if measure == "both"} == exact & time
    assert {name for name, measure in named.items() if measure == "time"} == time - exact
    assert fields["samples"] == {"forward_s", "gradient_s"}


def test_columns_are_those_of_the_frames() -> None:
    assert [row["column"] for row in table("Columns of `samples`")] == list(frame.SAMPLE)
    named = [row["column"] for row in table("Columns of `cells`")]
    assert len(named) == len(set(named)) and set(named) == set(frame.CELL)


def test_numbers_have_a_unit() -> None:
    units = {row["column"] for row in table("Columns of `cells`") if row["unit"]}
    assert units == set(frame.NUMBERS)
    assert all(row["unit"] for row in table("Values of a visit"))


def test_statuses_are_those_that_there_are() -> None:
    assert [row["status"] for row in table("Statuses")] == list(get_args(rows.Status))
    assert f"in the order {', '.join(frame.SEVERITY)}." in PAGE.replace("\n", " ")
