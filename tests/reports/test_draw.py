"""An SVG inside a page: its ids are its own, and its texts stay what they are."""

from __future__ import annotations

import re

from matplotlib.figure import Figure

from reports.draw import render, style

NASTY = 'x" id="results" href="#results" url(#results) <b>&amp;'


def drawn() -> str:
    with style("mine"):
        figure = Figure(figsize=(4, 3))
        axes = figure.subplots()
        axes.plot([1, 2], [3, 4], marker="o")
        axes.set_title(NASTY)
        return render(figure, "mine", "Two points on a line that rises.")


def test_ids_and_references_carry_the_name_of_the_figure() -> None:
    tags = re.findall(r"<[^<>]*>", drawn())
    ids = [one for tag in tags for one in re.findall(r'\bid="([^"]*)"', tag)]
    meant = [one for tag in tags for one in re.findall(r'(?:href="#|url\(#)([^")]*)', tag)]
    assert ids and meant and all(one.startswith("mine-") for one in ids) and set(meant) <= set(ids)


def test_a_text_that_looks_like_an_attribute_is_shown_as_it_is() -> None:
    texts = re.findall(r"<text[^<>]*>([^<]*)</text>", drawn())
    assert NASTY.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") in texts
