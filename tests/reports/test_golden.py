"""The frame and the tables of the made-up suite, word for word, against files that are committed.

A wanted change renews them, and shows in the diff of the commit::

    GRADRATIO_GOLDEN=write python -m pytest tests/reports/test_golden.py
"""

from __future__ import annotations

import difflib
import os
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from reports.errors_table import error_rows, runners
from reports.headline import groups
from reports.labels import settings
from reports.template import environment

FOLDER = Path(__file__).parent / "golden"
HEADLINE = (
    '{% from "headline.html.j2" import headline with context %}'
    "{% for group in groups %}<h3>{{ group.title }}: {{ group.about }}</h3>{{ headline(group) }}{% endfor %}"
)


class Text(HTMLParser):
    """The headings and the rows of tables as lines of text, cells between bars."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.lines: list[list[str]] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("tr", "h3"):
            self.lines.append([""] if tag == "h3" else [])
        elif tag in ("td", "th"):
            self.lines[-1].append("")
        elif self.lines and self.lines[-1]:
            self.lines[-1][-1] += " "  # a line of its own in the page

    def handle_data(self, data: str) -> None:
        if self.lines and self.lines[-1]:
            self.lines[-1][-1] += data

    @property
    def text(self) -> str:
        """All lines."""
        return "".join(" | ".join(" ".join(cell.split()) for cell in line) + "\n" for line in self.lines)


def check(name: str, found: str) -> None:
    """Compare with the file, or write it where that was asked for."""
    path = FOLDER / name
    if os.environ.get("GRADRATIO_GOLDEN") == "write":
        FOLDER.mkdir(exist_ok=True)
        path.write_text(found, encoding="utf-8")
    expected = path.read_text(encoding="utf-8")
    lines = (text.splitlines(keepends=True) for text in (expected, found))
    assert found == expected, "\n" + "".join(difflib.unified_diff(*lines, path.name, "found", n=1))


def test_the_frame(frame: pd.DataFrame) -> None:
    plain = frame.assign(sizes=frame["sizes"].map(settings), options=frame["options"].map(settings))
    check("cells.csv", plain.to_csv(index=False, float_format="%.6g", lineterminator="\n"))


def test_the_headline_tables(frame: pd.DataFrame) -> None:
    source = environment().from_string(HEADLINE).render(groups=groups(frame))
    check("headline.txt", Text(source).text)


def test_the_tables_of_errors(frame: pd.DataFrame) -> None:
    errors = error_rows(frame)
    content = SimpleNamespace(errors=errors, runners=runners(errors))
    check("errors.txt", Text(environment().get_template("errors.html.j2").render(content=content)).text)


def test_a_difference_is_shown_line_by_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "<h3>A <small>b</small></h3><table><tr><th>R<br>x</th><td>1 <small>[0,\n2]</small></td></tr></table>"
    assert Text(source).text == "A b\nR x | 1 [0, 2]\n"
    monkeypatch.setattr("tests.reports.test_golden.FOLDER", tmp_path)
    monkeypatch.setenv("GRADRATIO_GOLDEN", "write")
    check("some.txt", "one\ntwo\n")
    monkeypatch.delenv("GRADRATIO_GOLDEN")
    check("some.txt", "one\ntwo\n")
    with pytest.raises(AssertionError, match=r"--- some.txt\s+\+\+\+ found\s+@@ .* @@\s+one\s+-two\s+\+2\n"):
        check("some.txt", "one\n2\n")
