"""The cells of the peers' bench, and what is known of each: settings for everyone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as settings_of
from hypothesis import strategies as st

from bench.cells import MODES
from bench.peers import settings
from bench.peers.cells import DTYPES, NETS, PRESETS, QUICK, PeerCell, cells, named, wanted
from bench.peers.contenders import BASES, FIXED_POINT, NET, contenders
from bench.peers.settings import Setting


def test_quick_is_twelve_cells_in_which_every_value_occurs() -> None:
    assert len(QUICK) == 12 and len(NETS) == 2
    for name, values in {
        "width": {128, 512, 1024},
        "batch": {1, 64, 256},
        "kind": {"symmetric", "orthogonal"},
        "gamma": {0.5, 0.8, 0.9, 0.95, 0.99},
    }.items():
        assert {cell.sizes[name] for cell in QUICK} == values
    assert {(cell.level, cell.dtype) for cell in QUICK} == set(DTYPES.items())
    assert {cell.sizes["kind"] for cell in QUICK if cell.level == 1e-6} == {"symmetric", "orthogonal"}
    assert set(QUICK) < set(PRESETS["full"])


def test_a_name_is_of_one_cell_and_finds_it() -> None:
    every = {cell for preset in PRESETS.values() for cell in preset}
    assert len({cell.name for cell in every}) == len(every)
    assert all(named(cell.name) == cell for cell in every)
    assert QUICK[0].name == "tanh-128x1-symmetric-0.9-0.0001" and NETS[0].name == "mlp-3x1024x64"
    with pytest.raises(ValueError, match="No cell of peers 'mlp-3x1024x65': did you mean mlp-3x1024x64"):
        named("mlp-3x1024x65")
    with pytest.raises(ValueError, match=r"No preset 'quik' of peers: did you mean quick\?"):
        cells("quik")


def test_what_is_meant_by_names() -> None:
    assert wanted("quick", []) == (QUICK + NETS, ("torch", "jax"))
    assert wanted("quick", ["jax", NETS[1].name]) == ((NETS[1],), ("jax",))
    with pytest.raises(ValueError, match="No cell of peers 'jaks'"):
        wanted("quick", ["jaks"])


@pytest.mark.parametrize("framework", MODES)
def test_everyone_is_divided_by_ours_of_the_same_method(framework: str) -> None:
    for group in (FIXED_POINT[framework], NET):
        names = {one.name for one in group}
        assert len(names) == len(group)
        assert all(BASES[one.method] in names for one in group)
        assert {one.name for one in group if one.base} == {BASES[one.method] for one in group}
        assert all(one.name.startswith(one.package or ("ours", "stock")) for one in group)


@pytest.mark.parametrize("framework", MODES)
@pytest.mark.parametrize("cell", PRESETS["quick"] + PRESETS["smoke"], ids=lambda cell: cell.name)
def test_the_committed_settings_have_a_line_for_everyone(cell: PeerCell, framework: str) -> None:
    lines = settings.of_cell(cell, framework)
    assert set(lines) == {one.name for one in contenders(cell, framework)}
    for one in contenders(cell, framework):
        line = lines[one.name]
        assert line.method == one.method and (line.K is None) == (cell.problem == "mlp")
        assert line.status == "ok" or line.reason
        if one.package is None:
            assert line.status == "ok", f"{one.name}: {line.reason}"
        if line.status == "ok":
            assert line.error is not None and line.error <= 1.005 * line.level  # of three digits
            assert line.level == cell.level or one.method == "jfb"
        assert (line.package or "").partition(" ")[0] == (one.package or "")


def test_the_committed_file_is_as_it_would_be_written(tmp_path: Path) -> None:
    copy = tmp_path / "settings.jsonl"
    settings.write(settings.read().values(), copy)
    assert copy.read_bytes() == settings.PATH.read_bytes()
    assert not [name for name in json.loads(copy.read_text().splitlines()[0]) if "second" in name or "machine" in name]


LINES = st.builds(
    Setting,
    cell=st.text(max_size=3),
    framework=st.sampled_from(["torch", "jax"]),
    contender=st.text(max_size=3),
    method=st.just("ift"),
    level=st.floats(1e-9, 1),
    status=st.sampled_from(["ok", "failed"]),
    options=st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3), max_size=2),
)


@settings_of(max_examples=20, deadline=None)
@given(st.lists(LINES, max_size=4), st.lists(LINES, max_size=3))
def test_lines_are_written_sorted_each_once_and_read_back(old: list[Setting], new: list[Setting]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "settings.jsonl"
        settings.write(old, path)
        settings.write(new, path)
        found = settings.read(path)
        assert found == {line.key: line for line in [*old, *new]} and list(found) == sorted(found)
    assert all(Setting.of_record(line.as_record()) == line for line in new)


@settings_of(max_examples=30, deadline=None)
@given(st.text(max_size=20) | st.recursive(st.none() | st.integers(), st.lists).map(json.dumps))
def test_what_is_no_setting_is_named(text: str) -> None:
    import tempfile

    lines = [line for line in text.splitlines()]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "settings.jsonl"
        path.write_text(json.dumps(msgspec.structs.asdict(LINE)) + "\n" + text, encoding="utf-8")
        if lines:
            with pytest.raises(
                ValueError, match=r"Setting 2 of settings.jsonl is no setting of a contender: make the file"
            ):
                settings.read(path)
        else:
            assert list(settings.read(path)) == [LINE.key]


LINE = Setting("cell", "torch", "ours ift", "ift", 1e-2, "ok")


@pytest.mark.parametrize(
    "junk",
    [
        *({"level": None}, {"level": "1"}, {"status": "fine"}, {"K": 2.5}, {"error": float("nan")}),
        *({"reason": None}, {"options": []}, {"method": 3}, {"package": []}, {"more": 1}),
    ],
    ids=str,
)
def test_a_setting_of_other_types_is_named(junk: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "settings.jsonl").write_text(json.dumps(msgspec.structs.asdict(LINE) | junk) + "\n")
    with pytest.raises(ValueError, match=r"Setting 1 of settings.jsonl is no setting"):
        settings.read(tmp_path / "settings.jsonl")
    record = LINE.as_record() | {name: json.dumps(one) if name == "options" else one for name, one in junk.items()}
    with pytest.raises(ValueError, match="no setting of a contender"):
        Setting.of_record(record)


def test_a_cell_that_the_search_has_not_seen_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no line for mlp-3x1024x64 in torch: run `gradratio peers --search`"):
        settings.of_cell(NETS[0], "torch", tmp_path / "settings.jsonl")
