"""The page: loads nothing, drops nothing, says everything, and is sound HTML."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from reports import Results, read
from reports.grid import grid
from reports.page import build, html, write
from reports.parts import Sources
from tests.reports.reader import Reader
from tests.rows import GIVEN, MACHINE, Row, exact, run, timed, visit
from tests.rows import write as write_results


@pytest.fixture(scope="module")
def reader(source: str) -> Reader:
    """The page, parsed."""
    return Reader(source)


def test_loads_nothing_from_anywhere(source: str, reader: Reader) -> None:
    for tag, attributes in reader.tags:
        assert tag not in ("iframe", "object", "embed", "base", "form")
        for name in ("src", "href", "xlink:href", "srcset", "data", "action", "poster"):
            assert re.match(r"(#|data[:/]|$)", attributes.get(name, "")), (tag, attributes)
        assert not any(name.startswith("on") for name in attributes)
    assert re.findall(r"<script[^>]*>", source) == ["<script>"]
    assert "@import" not in source and "http:" not in source and "https:" not in source
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", source))


def test_is_sound(reader: Reader) -> None:
    assert reader.stack == []
    assert dict(reader.tags)["html"]["lang"] == "en"
    assert len(reader.ids) == len(set(reader.ids))
    assert reader.headings[0] == 1 and reader.headings.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in zip(reader.headings, reader.headings[1:], strict=False))


def test_links_and_references_inside_the_page_lead_somewhere(source: str, page: Path, reader: Reader) -> None:
    references = re.findall(r'href="#([^"]+)"', source) + re.findall(r"url\(#([^)]+)\)", source)
    assert set(references) <= set(reader.ids)
    files = [attributes["href"] for tag, attributes in reader.tags if attributes.get("href", "").startswith("data/")]
    assert len(files) == len(set(files)) and all((page.parent / name).stat().st_size > 100 for name in files)
    beside = {f"data/{path.name}" for path in (page.parent / "data").iterdir()}
    assert set(files) == beside  # a file that nobody finds is no use


def test_the_parts_come_in_their_order(reader: Reader) -> None:
    parts = [attributes["id"] for tag, attributes in reader.tags if tag == "section"]
    assert parts[:4] == ["answer", "results", "memory", "precision"]
    assert set(parts) == {*parts[:4], "frameworks", "guide", "errors", "samples", "control", "failed", "machine"}
    links = [attributes["href"] for tag, attributes in reader.tags if tag == "a" and "href" in attributes]
    assert [link for link in links if link[1:] in parts][:1] == ["#answer"] and {f"#{one}" for one in parts} <= {*links}


def test_every_figure_has_a_text_in_its_place(source: str, reader: Reader) -> None:
    drawings = [attributes for tag, attributes in reader.tags if tag == "svg"]
    assert len(drawings) == source.count("<figure>") >= 7
    for attributes in drawings:
        assert attributes["role"] == "img"
        assert re.search(rf'<title id="{attributes["aria-labelledby"]}">[^<]{{40,}}', source)


def test_every_ratio_has_an_interval(reader: Reader, frame: pd.DataFrame) -> None:
    shown = [text for row in reader.rows for attributes, text in row if "data-ratio" in attributes]
    assert len(shown) == frame["R"].notna().sum()
    assert all(re.match(r"[\d.]+ \[([\d.]+, [\d.]+|one worker)\]", text) for text in shown)


def test_times_and_bytes_have_units(reader: Reader) -> None:
    rows = [
        [text for _, text in row] for row in reader.rows if any("data-ratio" in attributes for attributes, _ in row)
    ]
    for row in rows:
        assert re.search(r" ms$", row[2]) and re.search(r" ms$", row[3])
        assert re.search(r" s$|^–$", row[4])
        assert re.search(r" (B|kB|MB)$", row[5]) and re.search(r" (B|kB|MB)$", row[6])


def test_failures_are_named_with_their_reason(source: str, frame: pd.DataFrame) -> None:
    failed = frame[frame["status"] != "ok"]
    assert len(failed) == 6
    for row in failed.itertuples():
        reason = row.reason.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#39;")
        assert source.count(f"<strong>{row.status}</strong>: {reason}") == 1
        assert f">torch: {row.status}<" in source
    assert "planned, and never visited" in source


def test_slopes_are_stated_exactly(source: str) -> None:
    assert source.count('<td class="wrap">+524288 B a layer: exactly one activation</td>') == 2
    assert source.count('<td class="wrap">+131072 B a step: exactly one activation</td>') == 2
    assert "+65536 B a layer: exactly one copy of a layer" in source
    assert ">backprop: +524288 B a layer<" in source


def test_is_the_same_when_written_again(results: Results, source: str, tmp_path: Path) -> None:
    assert write(Sources(results), tmp_path).read_text(encoding="utf-8") == source


def one(tmp_path: Path, *rows: Row, **changes: Any) -> str:
    """The page of a few rows."""
    return html(build(Sources(read(write_results(tmp_path / "some.jsonl", [run(**changes), *rows])))))


def test_hostile_texts_are_escaped(tmp_path: Path) -> None:
    nasty = "</title><script>alert(1)</script>\"'&{{ 7 * 7 }} $x^{$"
    rows = [
        timed(2.0, problem=nasty, sizes={nasty: nasty}, method=(nasty, {nasty: nasty})),
        visit(measure="time", status="failed", reason=nasty),
    ]
    rows.append(visit(measure="time", problem="mlp2", method=GIVEN, status="oom", reason="$x^{$ \\frac"))
    source = one(tmp_path, *rows, machine={"cpu": nasty, "cores": 2}, cells=[nasty], commit=nasty)
    assert source.count("<script") == 1 and "{{ 7 * 7 }}" in source
    assert not re.search(r"\b49\b", re.sub(r"<svg.*?</svg>", "", source, flags=re.DOTALL))
    assert [tag for tag, _ in Reader(source).tags].count("script") == 1


def test_a_clean_quiet_whole_run_has_no_caution(tmp_path: Path) -> None:
    source = one(tmp_path, timed(2.0, 0), timed(2.0, 1), exact(10), workers=2)
    assert "Before you trust" not in source
    assert "Nothing: all 1 cells were measured." in source
    assert "do not have both" in source


@pytest.mark.parametrize(
    ("changes", "visit_changes", "sentence"),
    [
        ({"dirty": True}, {}, "The working tree was dirty"),
        ({"commit": None}, {}, "No commit is recorded"),
        (
            {},
            {"load": 5.5},
            "2 of 2 time visits began at a load average above the number of cores (up to 5.50)",
        ),
        ({"workers": 8}, {}, "1 timed cell was visited by fewer than the 8 workers planned"),
        ({"machine": MACHINE | {"cores": None}}, {}, None),
    ],
)
def test_cautions(tmp_path: Path, changes: Row, visit_changes: Row, sentence: str | None) -> None:
    rows = [timed(2.0, worker) | visit_changes for worker in range(2)]
    source = one(tmp_path, *rows, **({"workers": 2} | changes))
    assert sentence in source if sentence else "Before you trust" not in source


def test_workers_that_disagree_are_called_noisy(tmp_path: Path) -> None:
    source = one(tmp_path, timed(2.0, 0, noise=0), timed(3.0, 1, noise=0), workers=2)
    assert "spread by more than 10 % (standard deviation of the logarithm) for mlp, backprop, torch (29 %)" in source


def test_a_page_without_times_and_one_without_values(tmp_path: Path) -> None:
    assert "No cell was timed" in one(tmp_path, exact(10))
    assert "memory and error not measured" in one(tmp_path, timed(2.0))
    assert "no reason was recorded" in one(tmp_path, visit(status="failed"))


def test_a_cell_that_failed_before_its_sizes_were_known_stands_with_its_problem(tmp_path: Path) -> None:
    early = visit(method=GIVEN, sizes={"width": 1024}, measure="time", status="failed", reason="early")
    found = grid(read(write_results(tmp_path / "some.jsonl", [run(), early, timed(2.0)])))
    assert [len(group.rows) for group in found.groups] == [2]


def test_links_to_the_site_of_asv_only_where_it_lies_beside_the_page(tmp_path: Path) -> None:
    results = read(write_results(tmp_path / "some.jsonl", [run(), timed(2.0)]))
    link = '<a href="asv/index.html">'
    assert link not in write(Sources(results), tmp_path).read_text(encoding="utf-8")
    (tmp_path / "asv").mkdir()
    (tmp_path / "asv" / "index.html").touch()
    source = write(Sources(results), tmp_path).read_text(encoding="utf-8")
    assert source.count(link) == 1 and Reader(source).stack == []
