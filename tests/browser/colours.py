"""Contrast of texts as WCAG 2 defines it, from the colours that a browser computed."""

from __future__ import annotations

import re
from typing import Any

TEXTS = """() => {
  const found = {}, shapes = new Map();
  const own = (one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  const inside = (box, x, y) => box.left <= x && x <= box.right && box.top <= y && y <= box.bottom;
  const filled = (figure) => [...figure.querySelectorAll("path, rect")].filter((one) => !one.closest("defs"))
    .map((one) => [one, getComputedStyle(one).fill, one.getBoundingClientRect()]).filter(([, fill]) => fill !== "none");
  for (const one of document.body.querySelectorAll("*")) {
    if (!own(one) || ["SCRIPT", "STYLE", "title", "desc"].includes(one.nodeName)) continue;
    const style = getComputedStyle(one), grounds = [], figure = one.ownerSVGElement;
    if (figure) {
      if (!shapes.has(figure)) shapes.set(figure, filled(figure));
      const box = one.getBoundingClientRect(), [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
      const before = (shape) => one.compareDocumentPosition(shape) & Node.DOCUMENT_POSITION_PRECEDING;
      const behind = shapes.get(figure).findLast(([shape, , its]) => inside(its, x, y) && before(shape));
      if (behind) grounds.push(behind[1]);
    }
    for (let up = one; up; up = up.parentElement) grounds.push(getComputedStyle(up).backgroundColor);
    const ink = figure ? style.fill : style.color;
    const name = `${one.parentElement.nodeName} > ${one.nodeName}.${one.getAttribute("class") ?? ""}`;
    found[`${name} ${ink} ${grounds.join(" ")}`] = [name, ink, grounds];
  }
  return Object.values(found);
}"""
"""Each kind of text with each colour that it has: where it stands, its colour, the grounds from itself outwards. Behind
the text of a figure is the last shape that was drawn before it where its middle is."""

Colour = tuple[float, float, float, float]


def parsed(text: str) -> Colour:
    """Red, green and blue from 0 to 255, and opacity from 0 to 1, of ``rgb(…)`` or ``rgba(…)``."""
    numbers = [float(one) for one in re.findall(r"[\d.]+", text)]
    assert re.match(r"rgba?\(", text) and len(numbers) in (3, 4), text
    red, green, blue, *opacity = numbers
    return red, green, blue, opacity[0] if opacity else 1.0


def over(above: Colour, below: Colour) -> Colour:
    """A colour laid over an opaque one."""
    share = above[3]
    red, green, blue = (share * one + (1 - share) * other for one, other in zip(above[:3], below[:3], strict=True))
    return red, green, blue, 1.0


def luminance(colour: Colour) -> float:
    """Relative luminance: 0 is black, 1 is white."""
    parts = [value / 255 for value in colour[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(ink: str, grounds: list[str]) -> float:
    """(L1 + 0.05) / (L2 + 0.05) of a text and what lies behind it, the innermost first, the last on white."""
    ground: Colour = (255.0, 255.0, 255.0, 1.0)
    for one in reversed(grounds):
        ground = over(parsed(one), ground)
    light, dark = sorted((luminance(over(parsed(ink), ground)), luminance(ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def faint(page: Any, least: float = 4.5) -> list[str]:
    """The texts of a page whose contrast is below ``least``, with it."""
    found = [(name, ink, contrast(ink, grounds)) for name, ink, grounds in page.evaluate(TEXTS)]
    assert found, "a page has texts"
    return [f"{name} {ink}: {value:.2f}" for name, ink, value in found if value < least]
