"""A matplotlib figure as SVG that can stand beside others in a page: real text, own ids, no style sheet."""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
import seaborn as sns
from matplotlib.figure import Figure

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
