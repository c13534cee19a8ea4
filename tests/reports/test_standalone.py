"""A figure as a file: valid XML with namespaces, the same drawing, its words as title and description."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pandas as pd
import pytest
from matplotlib.figure import Figure

from reports.draw import Drawing, document, render, style, write

SVG, XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
NASTY = '"a" href="x" & <b>'
ALT = f"Two lines, and a text that is {NASTY}."


@pytest.fixture(scope="module")
def drawing() -> Drawing:
    """A line, markers (which are references), a picture and a text full of markup."""
    with style("some"):
        figure = Figure(figsize=(4, 3))
        axes = figure.subplots()
        axes.plot([1, 2, 3], [3, 1, 2], marker="o")
        axes.plot([1, 2, 3], [1, 2, 3], rasterized=True)
        axes.set_title(NASTY)
        return Drawing("some", "Some <title>", render(figure, "some", ALT), "", pd.DataFrame())


@pytest.fixture(scope="module")
def root(drawing: Drawing, tmp_path_factory: pytest.TempPathFactory) -> ElementTree.Element:
    """The file, parsed."""
    path = write(drawing, tmp_path_factory.mktemp("figures"))
    assert path.name == "some.svg"
    return ElementTree.parse(path).getroot()


def test_is_an_svg_document_of_a_size(drawing: Drawing, root: ElementTree.Element) -> None:
    assert document(drawing).startswith('<?xml version="1.0" encoding="UTF-8"?>\n<svg ')
    assert root.tag == f"{SVG}svg" and all(one.tag.startswith(SVG) for one in root.iter())
    assert (root.get("viewBox"), root.get("width"), root.get("height")) == ("0 0 288 216", "288", "216")


def test_title_and_description_are_the_figures_own_words(root: ElementTree.Element) -> None:
    title, told, ground = list(root)[:3]
    assert (title.tag, title.text, title.get("id")) == (f"{SVG}title", "Some <title>", root.get("aria-labelledby"))
    assert (told.tag, told.text, told.get("id")) == (f"{SVG}desc", ALT, root.get("aria-describedby"))
    assert (ground.tag, ground.get("fill"), ground.get("width")) == (f"{SVG}rect", "#ffffff", "100%")


def test_every_reference_leads_to_an_id_of_the_file(root: ElementTree.Element) -> None:
    ids = [one.get("id") for one in root.iter() if one.get("id")]
    assert len(ids) == len(set(ids))
    targets = [one.get(f"{XLINK}href", "") for one in root.iter() if one.tag in (f"{SVG}use", f"{SVG}image")]
    assert any(target.startswith("data:image/png;base64,") for target in targets)
    assert {target[1:] for target in targets if target.startswith("#")} <= set(ids)
    assert all(target.startswith(("#", "data:image/png;base64,")) for target in targets)
    assert not any(one.get("href") for one in root.iter())


def test_texts_are_texts_in_fonts_that_are_named(root: ElementTree.Element) -> None:
    texts = {one.text: one.get("style", "") for one in root.iter(f"{SVG}text")}
    assert NASTY in texts
    assert all("DejaVu Sans" in drawn and "sans-serif" in drawn for drawn in texts.values())


def test_the_drawing_is_the_one_of_the_page(drawing: Drawing, root: ElementTree.Element) -> None:
    embedded = re.sub(r"<title.*?</title>", "", drawing.svg, flags=re.DOTALL)
    shapes = [one.get("d", "").split() for one in root.iter(f"{SVG}path")]
    assert shapes == [path.split() for path in re.findall(r'<path[^>]*?\sd="([^"]*)"', embedded)]
    assert len(list(root.iter())) == embedded.count("<") - embedded.count("</") + 3
