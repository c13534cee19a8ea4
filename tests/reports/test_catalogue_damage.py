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
        ([], "Expected `object`, got `array`"),
        ({}, "Object missing required field `schema`"),
        (changed(kind="run"), "Invalid value 'run' - at `$.kind`"),
        (changed(schema=2), "Invalid enum value 2 - at `$.schema`"),
        (changed(schema=True), "got `bool` - at `$.schema`"),
        (changed(methods=[]), "of length >= 1 - at `$.methods`"),
        (changed(methods=DOCUMENT["methods"] * 51), "of length <= 100 - at `$.methods`"),
        (changed(methods=DOCUMENT["methods"] * 2), "names a method twice"),
        (changed(versions={"torch": 2}), "got `int` - at `$.versions[...]`"),
        (changed(versions=None), "got `null` - at `$.versions`"),
        (changed(frameworks=["torch", "other"]), "its ability reverse was not tried in other"),
        (with_method(name="a b"), "at `$.methods[0].name`"),
        (with_method(interface="other"), "Invalid enum value 'other' - at `$.methods[0].interface`"),
        (with_method(exact=1), "got `int` - at `$.methods[0].exact`"),
        (with_method(equation=None), "got `null` - at `$.methods[0].equation`"),
        (with_method(options=[1]), "got `int` - at `$.methods[0].options[0]`"),
        (with_method(abilities=None), "got `null` - at `$.methods[0].abilities`"),
        (with_ability(torch={"outcome": "maybe", "reason": ""}), "Invalid enum value 'maybe'"),
        (with_ability(torch={"outcome": ["yes"], "reason": ""}), "got `array`"),
        (with_ability(how={"outcome": "yes", "reason": ""}), "needs name, words and how as texts"),
        (with_ability(jax={"outcome": "yes"}), "missing required field `reason`"),
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
