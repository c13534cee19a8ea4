"""A parser of the page that collects what the tests ask for."""

from __future__ import annotations

import csv
import re
from html.parser import HTMLParser
from pathlib import Path

VOID = {"meta", "link", "br"}


class Reader(HTMLParser):
    """Collects what the tests ask for, and checks that tags nest."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.rows: list[list[tuple[dict[str, str], str]]] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        self.tags.append((tag, named))
        self.ids += [named["id"]] if "id" in named else []
        if tag not in VOID:
            self.stack.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "tr":
            self.rows.append([])
        if tag == "td":
            self.rows[-1].append((named, ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.stack.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        if "td" in self.stack:
            attributes, text = self.rows[-1].pop()
            self.rows[-1].append((attributes, text + data))


def data(page: Path, name: str) -> list[dict[str, str]]:
    """The rows of a CSV beside the page."""
    with (page.parent / "data" / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))
