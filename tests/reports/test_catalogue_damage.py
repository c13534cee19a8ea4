"""A damaged or hostile catalogue is left out with a sentence, or is harmless."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reports.catalogue import AGAIN, part, read
from reports.template import render
from tests.reports.made_up_catalogue import DOCUMENT, reading, tried
from tests.reports.reader import Reader


def changed(**values: Any) -> dict[str, Any]:
    return DOCUMENT | values


def with_method(**values: Any) -> dict[str, Any]:
    return changed(methods=[DOCUMENT["methods"][0] | values])


def with_ability(**values: Any) -> dict[str, Any]:
    return with_method(abilities=[tried("reverse") | values])


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (b"", "damaged"),
        (json.dumps(DOCUMENT).encode()[:-9], "damaged"),
        (b"\xff\xfe", "damaged"),
        (b'{"schema": 1, "schema": 2}', "names 'schema' twice"),
        ([], "must be a table"),
        ({}, "no catalogue of methods"),
        (changed(kind="run"), "no catalogue of methods"),
        (changed(schema=2), "schema 2, but this report reads schema 1"),
        (changed(schema=True), "schema True"),
        (changed(methods=[]), "'methods' as a list of 1 to 100"),
        (changed(methods=DOCUMENT["methods"] * 51), "'methods' as a list of 1 to 100"),
        (changed(methods=DOCUMENT["methods"] * 2), "names a method twice"),
        (changed(versions={"torch": 2}), "a version that is no text"),
        (changed(versions=None), "its versions must be a table"),
        (changed(frameworks=["torch", "other"]), "each ability in 'other' must be a table"),
        (with_method(name="a b"), "'a b' has no name"),
        (with_method(interface="other"), "the unknown interface 'other'"),
        (with_method(exact=1), "does not say whether it is exact"),
        (with_method(equation=None), "needs 'equation' as a text"),
        (with_method(options=[1]), "needs 'options' as a list of texts"),
        (with_method(abilities=None), "needs 'abilities' as a list"),
        (with_ability(torch={"outcome": "maybe", "reason": ""}), "the unknown outcome 'maybe'"),
        (with_ability(torch={"outcome": ["yes"], "reason": ""}), "the unknown outcome"),
        (with_ability(jax={"outcome": "yes"}), "needs 'reason' as a text"),
    ],
)
def test_what_cannot_be_used_is_left_out(tmp_path: Path, document: Any, why: str) -> None:
    found, notes = reading(tmp_path, document)
    assert found is None
    (note,) = notes
    assert why in note
    assert note.startswith("The catalogue catalog.json is left out: ")
    assert note.endswith(f"; {AGAIN}.")


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    notes: list[str] = []
    assert read(tmp_path / "none.json", notes) is None
    assert read(tmp_path, notes) is None
    assert ["does not exist" in notes[0], "cannot be read" in notes[1]] == [True, True]


HOSTILE = [
    "<script>alert(1)</script>",
    "{{ 7 * 7 }}",
    '"><img src=x onerror=alert(1)>',
    "\x00\x1b[2J",
    "\ud800",
    "W" * 500,
]
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(HOSTILE),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def places(node: Any) -> Iterator[Callable[[Any], None]]:
    """What sets each value inside a nest of tables and lists."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        yield lambda new, key=key: node.__setitem__(key, new)
        if isinstance(value, dict | list):
            yield from places(value)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_value_anywhere_breaks_nothing(tmp_path: Path, data: st.DataObject) -> None:
    document = copy.deepcopy(DOCUMENT)
    for _ in range(data.draw(st.integers(1, 2))):
        data.draw(st.sampled_from(list(places(document))))(data.draw(JUNK))
    found, notes = reading(tmp_path, document)
    assert (found is None) == (len(notes) == 1)
    if found is not None:
        html = render(part(found))
        assert Reader(html).stack == []
        assert "<script" not in html
        assert "<img" not in html


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=60), start=st.integers(0, 400))
def test_any_bytes_break_nothing(tmp_path: Path, content: bytes, start: int) -> None:
    whole = json.dumps(DOCUMENT).encode()
    found, notes = reading(tmp_path, whole[:start] + content + whole[start + len(content) :])
    assert (found is None) == (len(notes) == 1)
    if found is not None:
        assert Reader(render(part(found))).stack == []
