"""How figures are drawn: their look, their SVG inside the page and as files of their own, and what a figure is.

In the page an SVG stands beside others: real text, own ids, no style sheet. As a file it is XML, for a paper or a talk.
"""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

PLAIN = FuncFormatter(lambda value, _: f"{float(f'{value:.3g}'):g}")
"""Tick labels in three digits, without zeros that a round number does not need and without powers of ten."""


MOST_PANELS = 24
"""Problems that one figure shows; more than these nobody could compare."""


@dataclass(frozen=True)
class Drawing:
    """A figure of the page: its SVG, what to say below it, and the data it was drawn from."""

    name: str
    title: str
    svg: str
    caption: str
    data: pd.DataFrame
    slopes: list[tuple[str, ...]] = field(default_factory=list)


# The look -------------------------------------------------------------------------------------------------------------

INK, FAINT, GRID = "#222222", "#666666", "#e4e4e4"

# Widths are computed with DejaVu Sans, the widest of these, so no fallback can run over its neighbour.
FONTS = ["DejaVu Sans", "Verdana", "Segoe UI", "Helvetica Neue", "Arial", "sans-serif"]

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.sans-serif": FONTS,
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.labelsize": 9,
    "axes.edgecolor": "#999999",
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "text.color": INK,
    "xtick.color": "#999999",
    "ytick.color": "#999999",
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "figure.facecolor": "white",
}


@contextmanager
def style(name: str) -> Iterator[None]:
    """The look of all figures; ``name`` makes the ids inside the SVG the same from run to run."""
    with sns.axes_style("ticks"), matplotlib.rc_context({**STYLE, "svg.hashsalt": name}), warnings.catch_warnings():
        # A name may be written in letters that the measuring font lacks; the reader's browser has them.
        warnings.filterwarnings("ignore", r"Glyph \d+ .*missing from", UserWarning)
        yield


def render(figure: Figure, name: str, alt: str) -> str:
    """The figure as an inline ``<svg role="img">`` whose title is ``alt``."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return embed(buffer.getvalue(), name, alt)


def embed(document: str, name: str, alt: str) -> str:
    """An SVG document made fit to stand inside HTML.

    Ids are prefixed with ``name``, since two figures of one page both have an ``axes_1``; the style sheet
    goes, since it would reach out to the whole page; so do the metadata and the namespaces that HTML does
    not need.
    """
    body = document[document.index("<svg") :]
    box = re.search(r'viewBox="([^"]+)"', body)
    assert box is not None, "matplotlib writes a viewBox"
    width = float(box.group(1).split()[2])
    body = body[body.index(">") + 1 :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", body, flags=re.DOTALL)
    body = re.sub(r"<!--.*?-->", "", body, flags=re.DOTALL)
    # A "<" opens a tag, since texts have it escaped: what a text says stays as it is.
    body = re.sub(r"<[^<>]*>", lambda found: _own(found.group(), name), body)
    body = re.sub(r"[ \t]*\n\s*", "\n", body)
    head = (
        f'<svg viewBox="{box.group(1)}" width="{width:.0f}" role="img" aria-labelledby="{name}-title" '
        f'style="stroke-linejoin:round;stroke-linecap:butt">\n'
        f'<title id="{name}-title">{html.escape(alt)}</title>'
    )
    return head + body.rstrip()


def _own(tag: str, name: str) -> str:
    """A tag whose ids, and whose references to others, are those of the figure ``name``."""
    tag = tag.replace("xlink:href=", "href=")
    tag = re.sub(r'\bid="', f'id="{name}-', tag)
    tag = re.sub(r"url\(#", f"url(#{name}-", tag)
    return tag.replace('href="#', f'href="#{name}-')


# A file ---------------------------------------------------------------------------------------------------------------

SPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
"""Namespaces, which a file needs and a page does not; they are names, and nothing is fetched from there."""


def document(drawing: Drawing) -> str:
    """The figure as XML: what the page holds, with what a file needs besides.

    Added are the declaration, the namespaces, a height, and a white ground below everything; the page's name of the
    figure becomes the title, and the words that stand in its place for those who cannot see it the description.
    Ids and fonts stay as they are. References get their old name back, which not every editor can do without.
    """
    head, body = drawing.svg.split("\n", 1)
    box = re.search(r'viewBox="([^"]+)"', head)
    words = re.match(r"<title[^>]*>(.*?)</title>", body, re.DOTALL)
    assert box is not None and words is not None, "embed writes both"
    height = float(box.group(1).split()[3])
    head = head.replace("<svg ", f'<svg {SPACES} height="{height:.0f}" aria-describedby="{drawing.name}-desc" ', 1)
    told = (
        f'<title id="{drawing.name}-title">{html.escape(drawing.title)}</title>\n'
        f'<desc id="{drawing.name}-desc">{words.group(1)}</desc>\n'
        '<rect width="100%" height="100%" fill="#ffffff"/>'
    )
    # A "<" opens a tag, since texts have it escaped: no text can take part in this.
    rest = re.sub(r'(<[^<>]*?\s)href="', r'\1xlink:href="', body[words.end() :])
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}\n{told}{rest}\n'


def write(drawing: Drawing, folder: Path) -> Path:
    """Write ``<name>.svg`` under ``folder``, which must exist; the path of the file."""
    path = folder / f"{drawing.name}.svg"
    path.write_text(document(drawing), encoding="utf-8")
    return path
