"""The catalogue on the page: what the file says stands there, and a file that says nothing usable is left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reports.catalogue import MARKS, part, read
from reports.template import render
from tests.reports.made_up_catalogue import DOCUMENT, reading
from tests.reports.reader import Reader

COMMITTED = Path(__file__).resolve().parents[2] / "results" / "catalog.json"


def text(document: Any, folder: Path) -> str:
    found, notes = reading(folder, document)
    assert notes == []
    return render(part(found))


def test_every_fact_and_outcome_stands_there(tmp_path: Path) -> None:
    html = text(DOCUMENT, tmp_path)
    for one in DOCUMENT["methods"]:
        for name in ("equation", "formula", "memory", "source"):
            assert f"<dd>{one[name]}</dd>" in html
        assert f'id="method-{one["name"]}"' in html
    assert html.count("<dd>K, solver</dd>") == 2
    assert "torch 2.13.0" in html
    assert "jax of unknown version" in html
    cells = [[cell for _, cell in row] for row in Reader(html).rows if row]
    assert cells == [
        ["✔ yes", "✔ yes"],
        ["✔ yes", "✔ yes"],
        ["✘ noOff by 0.2.", "✘ noOff by 0.2."],
        ["⊘ refused<b>no & never</b>", "‼ wrong<b>no & never</b>"],
        ["✔ yes", "✔ yes"],
        ["⊘ refusedIt cannot.", "⊘ refusedIt cannot."],
    ]
    assert "words of solver picard, two words</th>" in html
    assert "words of solver anderson</th>" in html
    assert "<dd>the true gradient</dd>" in html
    assert "<dd>an approximation of the true gradient</dd>" in html
    assert "<dt>words of solver</dt><dd>how of solver</dd>" in html
    assert [html.count(f"<dd>how of {name}</dd>") for name in ("reverse", "true", "solver")] == [2, 1, 1]


def test_its_data_has_a_row_for_each_outcome(tmp_path: Path) -> None:
    found, _ = reading(tmp_path, DOCUMENT)
    table = part(found).data["catalogue"]
    assert list(table) == ["method", "ability", "tried", "framework", "outcome", "reason", "how"]
    assert len(table) == 2 * 7
    assert table["outcome"].value_counts().to_dict() == {"yes": 8, "refused": 3, "no": 2, "wrong": 1}


def test_the_committed_catalogue() -> None:
    notes: list[str] = []
    found = read(COMMITTED, notes)
    assert found is not None
    assert notes == []
    html = render(part(found))
    reader = Reader(html)
    assert reader.stack == []
    assert reader.headings[:3] == [2, 3, 4]
    assert len(set(reader.ids)) == len(reader.ids)
    assert [f"method-{one.name}" in reader.ids for one in found.methods] == [True] * len(found.methods)
    assert sum(len(methods) for _, _, methods in found.kinds) == len(found.methods) >= 6
    assert all(words not in html for words in ("None", "results/", "{{"))
    assert all(f"{mark} {name}" in html for name, mark in MARKS.items())
