"""The search for names of this machine."""

from __future__ import annotations

import getpass
import platform
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.anonymous import leaks, secrets

KNOWN = {"user name": ("zoe",), "home folder": ("/home/zoe",), "host name": ("box.example.org", "box")}


@pytest.mark.parametrize(
    ("document", "places"),
    [
        ({"a": [{"b": "by Zoe, today"}]}, ["user name at a.0.b"]),
        ({"path": "see /home/zoe/x"}, ["user name at path", "home folder at path"]),
        (["box.example.org"], ["host name at 0"]),
        ("test_zoe_1", ["user name at the top"]),
        ({"a": "zoey and boxes", "zoe": 3, "n": None, "f": 1.5}, []),
        ({"a": "cpu/home/zoes"}, []),
    ],
)
def test_a_name_counts_where_it_stands_alone_and_its_place_is_told(document: object, places: list[str]) -> None:
    assert leaks(document, KNOWN) == places


def test_a_name_that_is_public_anyway_is_not_looked_for() -> None:
    assert leaks({"cpu": "AMD EPYC"}, {"host name": ("epyc",)}) == ["host name at cpu"]
    assert leaks({"cpu": "AMD EPYC"}, {"host name": ("epyc",)}, public=["AMD EPYC"]) == []


def test_names_that_name_nothing_are_not_looked_for() -> None:
    assert leaks({"a": "/ and ."}, {"home folder": ("/", "", ".")}) == []


@given(st.text(), st.text(st.characters(categories=["L", "N"]), min_size=1))
def test_a_secret_between_spaces_is_found_whatever_its_letters(before: str, secret: str) -> None:
    assert leaks({"a": f"{before} {secret} "}, {"user name": (secret,)}) == ["user name at a"]


def test_the_secrets_are_those_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    found = secrets()
    assert platform.node() in found["host name"] and str(Path.cwd()) in found["working folder"]
    monkeypatch.setenv("LOGNAME", "zoe")
    assert secrets()["user name"] == ("zoe",)

    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert secrets()["user name"] == ("",)
