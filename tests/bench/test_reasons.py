"""The words of a failure name no folder, no owner and no machine."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from bench.failures import without_paths


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no /usr/lib/x.so here", "no x.so here"),
        ("No such file: '/home/someone'", "No such file: '~'"),
        ("no /home/someone/lib/x.so here", "no x.so here"),
        ("at file:///home/someone/y.py", "at y.py"),
        ("see https://example.org/a/b", "see https://example.org/a/b"),
        ("1/2 and a/b stay", "1/2 and a/b stay"),
    ],
)
def test_paths(text: str, expected: str) -> None:
    assert without_paths(text) == expected


def test_this_machine_and_its_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "node", lambda: "box-7")
    monkeypatch.setattr(Path, "home", lambda: Path("/elsewhere/jo"))
    assert without_paths("box-7 has no /elsewhere/jo") == "host has no ~"
    assert without_paths("box-7 has no /elsewhere/jo/a/b.txt") == "host has no b.txt"
