"""Sorting: by value, not by text; three clicks a cycle; nothing lost where the script fails or does not run."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup

from reports import cells
from reports.numbers import DASH, interval, milliseconds, sig, size
from reports.part import Part
from reports.template import environment, render
from tests.browser.chromium import Seen, browser, opened
from tests.reports.suite import suite
from tests.rows import results

pytestmark = pytest.mark.long
NAN = math.nan
SCRIPT = environment().get_template("sort.js").render()
STYLE = environment().get_template("page.css").render()
COLUMN = """([name, column]) => [...document.querySelectorAll(`${name} tbody tr`)]
  .map((row) => row.cells[column].textContent)"""
VALUES = """(texts) => texts.map((text) => {
  const cell = document.createElement("td");
  cell.innerHTML = text;
  return value(cell);
})"""
NUMBERS = [10.0**power * digits for power in range(-12, 13) for digits in (1.0, 2.57, 9.99)]
"""Of any size, in three digits."""

BYTES = (2e6, 999.0, NAN, 1.5e3, 4e9, 0.0, 1e6, 750e3)
WORDS = ("K 10", "K 9", "backprop", "", "K 100", DASH, "Anderson", "zeta")
SPANS = "<table class=sortable><thead><tr><th>A<th>B</thead><tbody><tr><td colspan=2>1</tbody></table>"
BODIES = "<table class=sortable><thead><tr><th>A</thead><tbody><tr><td>1</tbody><tbody><tr><td>2</tbody></table>"


def written(folder: Path) -> Path:
    """A page with a table of bytes, numbers and words, one of cells, and two that cannot be sorted."""
    lines = [
        f"<tr><td>{size(count)}<small>held {size(7.0)}</small></td><td>{word}</td><td data-sort='{-place}'>x</td></tr>"
        for place, (count, word) in enumerate(zip(BYTES, WORDS, strict=True))
    ]
    heads = "".join(f'<th scope="col">{name}</th>' for name in ("Bytes", "Word", "Key"))
    some = f'<table id="some" class="sortable"><thead><tr>{heads}</tr></thead><tbody>{"".join(lines)}</tbody></table>'
    rows = cells(results(suite(workers=2))).to_dict("records")
    flat = render(Part("cells", "All cells", "flat.html.j2", {"rows": rows, "left": 3}))
    path = folder / "index.html"
    body = Markup(f"<body>{some}{flat}<div id=odd>{SPANS}{BODIES}</div><script>{SCRIPT}</script></body>")
    path.write_text(f"<!DOCTYPE html><html lang=en><meta charset=utf-8><style>{STYLE}</style>{body}", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One browser for this file."""
    with browser() as found:
        yield found


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of tables."""
    return written(tmp_path_factory.mktemp("tables"))


@pytest.fixture
def seen(chromium: Any, path: Path) -> Iterator[Seen]:
    """The page of tables, open; at its end nothing was complained of."""
    with opened(chromium, path) as found:
        yield found
        assert found.complaints == []


def clicked(seen: Seen, table: str, name: str) -> list[Any]:
    """The column after one more click on its heading: state, texts."""
    buttons = seen.page.locator(f"{table} thead button")
    names = [text.strip() for text in buttons.all_text_contents()]
    column = next(place for place, text in enumerate(names) if text.startswith(name))
    buttons.nth(column).click()
    state = seen.page.locator(f"{table} thead th").nth(column).get_attribute("aria-sort")
    assert seen.page.locator(f"{table} th[aria-sort]").count() == (state is not None)
    return [state, seen.page.evaluate(COLUMN, [table, column])]


def test_bytes_sort_by_their_number_and_the_unknown_come_last(seen: Seen) -> None:
    texts = [f"{size(count)}held 7 B" for count in BYTES]
    known = [f"{size(count)}held 7 B" for count in sorted(count for count in BYTES if count == count)]
    lost = [f"{DASH}held 7 B"]
    assert clicked(seen, "#some", "Bytes") == ["ascending", known + lost]
    assert clicked(seen, "#some", "Bytes") == ["descending", known[::-1] + lost]
    assert clicked(seen, "#some", "Bytes") == [None, texts]


def test_words_sort_as_people_order_them_and_keys_go_before_texts(seen: Seen) -> None:
    words = ["Anderson", "backprop", "K 9", "K 10", "K 100", "zeta"]
    assert clicked(seen, "#some", "Word") == ["ascending", [*words, "", DASH]]
    assert (
        seen.page.evaluate("() => document.querySelector('#some tbody tr').cells[0].textContent") == "1.00 MBheld 7 B"
    )
    clicked(seen, "#some", "Key")
    assert seen.page.evaluate(COLUMN, ["#some", 1]) == list(WORDS[::-1])


def test_cells_sort_by_their_ratio(seen: Seen) -> None:
    before = seen.page.evaluate(COLUMN, [".flat", 3])
    state, after = clicked(seen, ".flat", "R")
    known = [float(text.split("[")[0]) for text in after if text != DASH]
    assert state == "ascending" and known == sorted(known) and len(known) == 23
    assert after[len(known) :] == [DASH] * (len(before) - len(known)) and sorted(after) == sorted(before)


def test_equal_ones_keep_their_order(seen: Seen) -> None:
    before = seen.page.evaluate(COLUMN, [".flat", 3])
    states = seen.page.evaluate(COLUMN, [".flat", 10])
    after = clicked(seen, ".flat", "Status")[1]
    assert after == sorted(states) and len(set(states)) == 7
    expected = [text for _, text in sorted(zip(states, before, strict=True), key=lambda pair: pair[0])]
    assert seen.page.evaluate(COLUMN, [".flat", 3]) == expected


def test_the_keyboard_sorts_too(seen: Seen) -> None:
    seen.page.keyboard.press("Tab")
    seen.page.keyboard.press("Enter")
    seen.page.keyboard.press("Space")
    assert seen.page.locator("#some th").first.get_attribute("aria-sort") == "descending"
    assert seen.page.evaluate("() => document.activeElement.textContent") == "Bytes"
    assert seen.page.get_by_role("button", name="Bytes", exact=True).count() == 1


def test_the_number_of_a_cell_is_the_one_that_was_printed(seen: Seen) -> None:
    for printed, numbers in ((sig, NUMBERS), (milliseconds, NUMBERS), (size, [one for one in NUMBERS if one > 1e3])):
        found = seen.page.evaluate(VALUES, [printed(number) for number in numbers])
        assert found == pytest.approx(numbers, rel=6e-3)
    texts = ["–", "", "2.97 [2.91, 3.04]", "−3 s", "-2.50 MB", "2026-03-01", "1.2.3", "3 cells", "× 1.10 [1.0, 1.2]"]
    values = [None, None, 2.97, -3, -2.5e6, "2026-03-01", "1.2.3", 3, 1.1]
    assert seen.page.evaluate(VALUES, texts) == values
    assert seen.page.evaluate(VALUES, [interval(NAN, NAN, NAN), interval(1.5e-7, NAN, NAN)]) == [None, 1.5e-7]


def test_tables_whose_cells_span_others_are_left_as_they_are(seen: Seen) -> None:
    assert seen.page.locator("#odd button").count() == 0
    assert seen.page.locator("#some button").count() == 3


@pytest.mark.parametrize("script", [f"{SCRIPT}(((", SCRIPT.replace("button.append(", "button.nothing(")])
def test_a_script_that_fails_leaves_the_tables_whole(chromium: Any, path: Path, tmp_path: Path, script: str) -> None:
    broken = path.read_text(encoding="utf-8").replace(SCRIPT, script)
    (tmp_path / "broken.html").write_text(broken, encoding="utf-8")
    with opened(chromium, path) as whole, opened(chromium, tmp_path / "broken.html") as seen:
        for table, column in (("#some", 0), (".flat", 3), ("#odd", 0)):
            assert seen.page.evaluate(COLUMN, [table, column]) == whole.page.evaluate(COLUMN, [table, column])
        assert seen.page.locator("button").count() == 0
        assert len(seen.complaints) == 1


def test_on_paper_the_headings_are_words_alone(seen: Seen) -> None:
    arrow = "() => getComputedStyle(document.querySelector('#some button'), '::before').content"
    assert "↕" in seen.page.evaluate(arrow)
    seen.page.emulate_media(media="print")
    assert seen.page.evaluate(arrow) == "none"
