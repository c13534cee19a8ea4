"""A figure of the page as an SVG file of its own, for a paper or a talk."""

from __future__ import annotations

import html
import re
from pathlib import Path

from reports.figures import Drawing

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
    assert box is not None and words is not None, "reports.svg.embed writes both"
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
