"""The page in Chromium: it asks for nothing, complains of nothing, fits, is legible, and is used with the keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.chromium import Seen, browser, opened
from tests.browser.colours import contrast, faint
from tests.browser.pages import NASTY, committed, made_up

pytestmark = pytest.mark.long
WIDTHS, SCHEMES = (360, 768, 1440), ("light", "dark")
PAPER = 688
"""Pixels of A4 between the margins."""
TOO_WIDE = """() => document.scrollingElement.scrollWidth <= innerWidth ? [] :
  [...document.body.querySelectorAll("*")].filter((one) => one.getBoundingClientRect().right > innerWidth &&
  !one.parentElement.closest(".scroll, .card, pre")).map((one) => one.outerHTML.slice(0, 120)).concat("the page")"""
LOST = """() => [...document.querySelectorAll("a[href^='#']")].map((one) => one.getAttribute("href").slice(1))
  .filter((name) => !document.getElementById(name))"""
NEXT = """() => {
  const now = document.activeElement;
  if (now === document.body || now.hasAttribute("data-seen")) return null;
  now.setAttribute("data-seen", "");
  const style = getComputedStyle(now);
  return [now.outerHTML.slice(0, 80), style.outlineStyle, parseFloat(style.outlineWidth)];
}"""
ARROWS = """() => [...document.querySelectorAll("th button")]
  .map((one) => getComputedStyle(one, "::before").content)"""
CUT = "() => [...document.querySelectorAll('.scroll, .card')].map((one) => getComputedStyle(one).overflowX)"
COUNT = """() => ["tbody tr", "svg", "figcaption", "dt", "th", "td"]
  .map((one) => document.querySelectorAll(one).length)"""
UNSEEN = """() => [...document.querySelectorAll("a[href], summary, .scroll, .card, th button")]
  .filter((one) => !one.hasAttribute("data-seen")).map((one) => one.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One browser for this file."""
    with browser() as found:
        yield found


@pytest.fixture(scope="module")
def pages(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """All pages; written only where there is a browser to look at them."""
    folder = tmp_path_factory.mktemp("pages")
    return {"made up": made_up(folder / "made-up"), "committed": committed(folder / "committed")}


@pytest.fixture(scope="module", params=["made up", "committed"])
def seen(request: pytest.FixtureRequest, chromium: Any, pages: dict[str, Path]) -> Iterator[Seen]:
    """One of the pages, open."""
    with opened(chromium, pages[request.param]) as found:
        yield found


def test_asks_for_nothing_but_itself_and_fits_and_is_legible(seen: Seen) -> None:
    for scheme in SCHEMES:
        seen.page.emulate_media(color_scheme=scheme)
        assert faint(seen.page) == [], scheme
        for width in WIDTHS:
            seen.page.set_viewport_size({"width": width, "height": 900})
            assert seen.page.evaluate(TOO_WIDE) == [], (scheme, width)
    dark = seen.page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert contrast("rgb(255, 255, 255)", [dark]) > 15
    assert seen.requests == [seen.address]
    assert seen.complaints == []


def test_every_image_has_a_name_and_every_link_leads_somewhere(seen: Seen) -> None:
    tree = seen.page.context.new_cdp_session(seen.page).send("Accessibility.getFullAXTree")["nodes"]
    images = [one for one in tree if not one["ignored"] and one["role"]["value"] in ("image", "img")]
    assert len(images) == seen.page.locator("svg[role=img], img").count() == seen.page.locator("svg").count() > 0
    assert all(len(one["name"]["value"]) > 20 for one in images)
    assert seen.page.evaluate(LOST) == []
    assert seen.page.locator("nav a[href^='#']").count() == seen.page.locator("main > section").count() > 4


def test_the_page_is_small(pages: dict[str, Path]) -> None:
    assert {name: path.stat().st_size for name, path in pages.items() if path.stat().st_size > 5e6} == {}


def test_the_tab_key_reaches_everything_and_shows_where_it_is(chromium: Any, pages: dict[str, Path]) -> None:
    with opened(chromium, pages["made up"]) as seen:
        for what, line, thick in iter(lambda: _pressed(seen.page), None):
            assert line != "none" and thick >= 2, what
        assert seen.page.evaluate(UNSEEN) == []
        assert seen.page.locator("[data-seen].scroll").count() > 5


def _pressed(page: Any) -> Any:
    page.keyboard.press("Tab")
    return page.evaluate(NEXT)


def test_on_paper_there_is_nothing_to_press_and_nothing_is_cut(chromium: Any, pages: dict[str, Path]) -> None:
    with opened(chromium, pages["committed"], width=PAPER) as seen:
        seen.page.emulate_media(media="print", color_scheme="dark")
        assert seen.page.evaluate(TOO_WIDE) == []
        assert not seen.page.locator("nav").is_visible() and not seen.page.locator(".skip").is_visible()
        assert set(seen.page.evaluate(ARROWS)) <= {"none"}
        assert set(seen.page.evaluate(CUT)) == {"visible"}
        assert seen.page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert faint(seen.page) == []
        assert seen.page.pdf().startswith(b"%PDF")


def test_without_script_everything_is_there_and_nothing_to_press(chromium: Any, pages: dict[str, Path]) -> None:
    with opened(chromium, pages["made up"]) as seen, opened(chromium, pages["made up"], script=False) as quiet:
        assert quiet.page.evaluate(COUNT) == seen.page.evaluate(COUNT)
        assert quiet.page.locator("button").count() == 0
        assert seen.page.locator("main").text_content() == quiet.page.locator("main").text_content()


def test_hostile_names_are_read_and_not_obeyed(chromium: Any, pages: dict[str, Path]) -> None:
    with opened(chromium, pages["made up"]) as seen:
        text = seen.page.locator("main").text_content()
        assert all(name in text for name in NASTY if len(name) < 60)
        assert seen.page.locator("img, iframe, object, [onerror], [onload], [onmouseover]").count() == 0
        assert seen.page.locator("a[href^='javascript:']").count() == 0
        assert seen.page.locator("script").count() <= 1 and "49" not in seen.page.locator("h3").all_text_contents()
        assert seen.complaints == []


@pytest.mark.parametrize(
    ("ink", "grounds", "expected"),
    [
        ("rgb(0, 0, 0)", ["rgba(0, 0, 0, 0)"], 21.0),
        ("rgb(119, 119, 119)", ["rgb(255, 255, 255)", "rgb(0, 0, 0)"], 4.478),
        ("rgba(0, 0, 0, 0.5)", ["rgb(255, 255, 255)"], 3.976),
        ("rgb(255, 255, 255)", ["rgba(0, 0, 0, 0.5)", "rgb(0, 0, 0)"], 21.0),
        ("rgb(9, 9, 9)", ["rgb(9, 9, 9)"], 1.0),
    ],
)
def test_contrast_is_what_the_guideline_says(ink: str, grounds: list[str], expected: float) -> None:
    assert contrast(ink, grounds) == pytest.approx(expected, abs=2e-2)
