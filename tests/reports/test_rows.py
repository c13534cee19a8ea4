"""Lines that cannot be used: each is skipped by name, with its reason, and its neighbours are kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reports import Results, read
from tests.rows import exact, run, text, timed


@pytest.fixture
def load(tmp_path: Path) -> Callable[[bytes], Results]:
    """Reads bytes as a results file."""

    def found(content: bytes) -> Results:
        path = tmp_path / "some.jsonl"
        path.write_bytes(content)
        return read(path)

    return found


Load = Callable[[bytes], Results]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"kind": "vi', "it is damaged, no line of JSON"),
        (b"\xff\xfe\x00", "it is damaged, no line of JSON"),
        (b"[" * 100_000, "it is damaged, no line of JSON"),
        (text([[[[[[[[[[[1]]]]]]]]]]]), "it nests lists or tables deeper than 8"),
        (b'{"kind": "visit", "kind": "visit"}', "it names 'kind' twice"),
        (b'{"kind": 1' + b"0" * 400 + b"}", "it holds a whole number of more than 30 digits"),
        (b'"' + b"a" * 16_000_000 + b'"', "it is longer than 16 MB"),
        (text([7]), "it is no row of results"),
        (text([{"kind": ["visit"]}]), "it is no row of results"),
        (text([{"kind": "note"}]), "it is of the unknown kind 'note'"),
        (text([exact(1) | {"schema": 2}]), "it has schema 2, but this report reads schema 1"),
        (text([exact(1) | {"schema": True}]), "it has schema True, but this report reads schema 1"),
        (text([exact(1) | {"status": "fine"}]), "it has the unknown status 'fine'"),
        (text([exact(1) | {"measure": "speed"}]), "it has the unknown measure 'speed'"),
        (text([exact(1) | {"worker": None}]), "it needs 'worker' as a whole number"),
        (text([exact(1) | {"worker": True}]), "it needs 'worker' as a whole number"),
        (text([exact(1) | {"worker": -1}]), "its worker is none of the numbers 0 to 99999"),
        (text([exact(1) | {"seed": 1.5}]), "it needs 'seed' as a whole number"),
        (text([exact(1) | {"sizes": {"width": [1]}}]), "its sizes hold more than texts and numbers up to 1e15"),
        (text([exact(1) | {"sizes": {"depth": 10**16}}]), "its sizes hold more than texts and numbers up to 1e15"),
        (text([exact(1) | {"options": {str(n): n for n in range(40)}}]), "it has more than 32 options"),
        (text([timed(2.0) | {"samples": {"forward_s": 1}}]), "it needs lists of numbers in 'samples'"),
        (text([timed(2.0) | {"samples": {"forward_s": [1.0], "gradient_s": []}}]), "its samples are of unequal length"),
        (
            text([timed(2.0) | {"samples": {"forward_s": [-1.0]}}]),
            "it has the sample -1.0, which is no time in seconds",
        ),
        (
            text([timed(2.0) | {"samples": {"forward_s": [True]}}]),
            "it has the sample True, which is no time in seconds",
        ),
        (text([exact(-1)]), "its value 'peak_bytes' is out of range"),
        (text([exact(10**19)]), "its value 'peak_bytes' is out of range"),
        (text([exact(1, values={"flops": "many"})]), "its value 'flops' is no number"),
        (text([exact(1, values={"cosine": False})]), "its value 'cosine' is no number"),
        (text([exact(1) | {"conditions": []}]), "it needs 'conditions' as a table"),
        (text([exact(1) | {"conditions": {"load": "high"}}]), "it needs 'load' of the conditions as a number"),
        (text([run("c", cells=[1])]), "it lists a planned cell that is no text"),
        (text([run("c", commit=7)]), "it needs 'commit' as a text"),
        (text([run("c", machine={"cores": "two"})]), "it needs 'cores' of the machine as a whole number"),
        (text([{"kind": "verdict", "schema": 1, "run": "0" * 12}]), "it needs 'surprises' as a list"),
        (text([{"kind": "verdict", "schema": 1, "run": "0" * 12, "surprises": [1]}]), "it needs a table of a surprise"),
    ],
)
def test_a_line_that_cannot_be_used_is_skipped_by_name(load: Load, line: bytes, reason: str) -> None:
    found = load(text([run(), exact(1)]) + line.rstrip(b"\n") + b"\n" + text([exact(2, problem="tanh")]))
    assert found.notes == [f"Line 3 of some.jsonl is skipped: {reason}."]
    assert [visit["values"]["peak_bytes"] for visit in found.visits] == [1, 2]


def test_what_is_unknown_is_no_damage(load: Load) -> None:
    odd = exact(1, values={"held_bytes": None, "cosine": float("nan"), "some_later_value": "text"})
    rows = [run(a_later_field=1), odd | {"conditions": None, "a_later_field": [1]}]
    found = load(text(rows))
    assert found.notes == [] and found.visits[0]["values"]["cosine"] is None


def test_a_mark_that_an_editor_puts_in_front_is_no_damage(load: Load) -> None:
    assert load(b"\xef\xbb\xbf" + text([run(), exact(1)])).notes == []
