"""The JSON files of a comparison: their table, and the search for names of this machine."""

from __future__ import annotations

import copy
import getpass
import json
import platform
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bench.pytest_compare.files import leaks, secrets, table

INFO = {
    "cell": "torch/eager/cpu/float32/tanh(width=4)/jfb",
    "status": "ok",
    "reason": "",
    "R": 1.05,
    "R_low": 1.0,
    "R_high": 1.125,
    "peak_bytes": 1440,
    "flops": 123456,
    "gradient_error": 0.513,
}


def entry(framework: str, method: str = "jfb", median: float | None = 0.0025, **info: object) -> dict[str, Any]:
    params = {"problem": "tanh(width=4)", "method": method, "framework": framework}
    stats = {} if median is None else {"stats": {"median": median}}
    return {"group": params["problem"], "params": params, "extra_info": INFO | info, **stats}


def document(*benchmarks: dict[str, Any], untimed: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {
        "machine_info": {"cpu": "AMD EPYC", "versions": {"torch": "2.13.0", "jax": None}},
        "commit_info": {"id": "984da68a8a2f9ae3", "dirty": False},
        "benchmarks": list(benchmarks),
        "untimed": list(untimed),
    }


def write(folder: Path, *documents: object) -> list[Path]:
    paths = [folder / f"{index}.json" for index in range(len(documents))]
    for path, one in zip(paths, documents, strict=True):
        path.write_text(json.dumps(one), encoding="utf-8")
    return paths


def test_frameworks_of_two_files_stand_beside_each_other(tmp_path: Path) -> None:
    failed = entry("jax", "ift", None, status="wrong", reason="0.3 away", R=None, peak_bytes=None, cell="jax/ift")
    found = table(write(tmp_path, document(entry("torch")), document(entry("jax", R=2.0), untimed=(failed,))))
    where, _, problem, above, header, *lines = found.splitlines()
    assert (where, problem) == ("AMD EPYC, torch 2.13.0, commit 984da68a8a2f", "tanh(width=4)")
    columns = "median ms  R [95 %]           peak bytes     flops     error  status"
    assert header == f"method  {columns}  {columns}"
    assert (above.index("torch"), above.index("jax")) == (header.index("median ms"), header.rindex("median ms"))
    assert lines[:2] == [
        "jfb         2.500  1.05 [1.00, 1.12]        1440  1.23e+05  5.13e-01  ok      "
        "    2.500  2.00 [1.00, 1.12]        1440  1.23e+05  5.13e-01  ok",
        " ".ljust(78).replace("   ", "ift", 1) + " " * 42 + "1.23e+05  5.13e-01  wrong",
    ]
    assert "\nwrong: jax/ift: 0.3 away\n" in found


def test_a_ratio_of_one_worker_has_no_interval(tmp_path: Path) -> None:
    found = table(write(tmp_path, document(entry("torch", R_low=None, R_high=None))))
    assert "  1.05  " in found and "[1.00" not in found


NO_SESSION = r"^0.json is no comparison \(Object missing required field "
OTHER_MACHINE = document() | {"machine_info": {"cpu": "another"}}
OTHER_COMMIT = document() | {"commit_info": {"id": "other", "dirty": False}}


@pytest.mark.parametrize(
    ("documents", "sentence"),
    [
        ([document(entry("torch")), document(entry("torch"))], r"^1.json has tanh.* jfb torch a second time: give"),
        ([document(), OTHER_MACHINE], r"^1.json was measured on another machine or with other versions than 0.json: c"),
        ([document(), OTHER_COMMIT], r"^1.json was measured at another commit than 0.json: compare"),
        (
            [{"benchmarks": []}],
            rf"{NO_SESSION}.*\): give files that `gradratio pytest` wrote\.$",
        ),
        (
            [document({"params": {"problem": "tanh"}})],
            rf"{NO_SESSION}.*`method` - at `\$.benchmarks\[0\].params`\): ",
        ),
    ],
)
def test_files_that_do_not_go_together_are_refused_in_one_sentence(
    documents: list[object], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=sentence) as refused:
        table(write(tmp_path, *documents))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"[1]", b'{"benchmarks": 1' + b"0" * 5000])
def test_what_is_no_json_of_a_comparison_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"^x.json is no comparison"):
        table([path])


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
PLACES = st.sampled_from(
    [
        ("machine_info", "cpu"),
        ("machine_info", "versions"),
        ("commit_info", "id"),
        ("benchmarks",),
        ("benchmarks", 0),
        ("benchmarks", 0, "params"),
        ("benchmarks", 0, "params", "method"),
        ("benchmarks", 0, "stats"),
        ("benchmarks", 0, "stats", "median"),
        *(("benchmarks", 0, "extra_info", name) for name in INFO),
    ]
)


@given(PLACES, ANYTHING)
@example(("benchmarks", 0, "extra_info", "status"), "\x1b[31mred\n")
@example(("benchmarks", 0, "params", "method"), "\u202ereversed")
@example(("benchmarks", 0, "stats", "median"), 10**400)
@example(("benchmarks", 0, "stats", "median"), True)
def test_a_hostile_value_is_left_out_or_refused_and_the_rest_is_shown(place: tuple[Any, ...], value: object) -> None:
    hostile = copy.deepcopy(document(entry("jax"), entry("torch")))
    part: Any = hostile
    for step in place[:-1]:
        part = part[step]
    part[place[-1]] = value
    with TemporaryDirectory() as folder:
        try:
            found = table(write(Path(folder), hostile))
        except ValueError as refused:
            assert str(refused).isprintable()
            return
    assert all(line.isprintable() for line in found.split("\n"))
    if len(place) > 1:
        assert "  2.500  1.05 [1.00, 1.12]        1440  1.23e+05  5.13e-01  ok" in found


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
