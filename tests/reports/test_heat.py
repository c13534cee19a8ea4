"""The heat map: every number and symbol is there, what is left out is said, colours are legible."""

from __future__ import annotations

import html
import re
from itertools import pairwise

import numpy as np
import pytest

from reports.draw import MOST_PANELS
from reports.heat import colours, drawing, ink, round_numbers
from reports.means import titles
from tests.reports.reader import Reader
from tests.reports.suite import TANH
from tests.reports.test_means import hostile, made, row
from tests.rows import GAUSSIAN, GIVEN, Row, timed

STATUSES = {"timeout": "T", "oom": "M", "wrong": "X", "diverged": "D", "failed": "F", "n/a": "–"}


def texts(svg: str) -> list[str]:
    """What is written in a figure."""
    return [html.unescape(text) for text in re.findall(r"<text[^>]*>([^<]*)</text>", svg)]


def alt(svg: str) -> str:
    """A figure in words."""
    return html.unescape(svg[svg.index("<title") : svg.index("</title>")])


def luminance(colour: tuple[float, ...]) -> float:
    """Relative luminance, by the transfer function of sRGB (IEC 61966-2-1)."""
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in colour[:3]]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def test_every_number_and_every_symbol_stands_in_its_panel() -> None:
    rows = [row(2.5), row(0.995, method=GIVEN), row(3.25, framework="jax"), row(123456.0, 9, framework="jax")]
    rows += [row(status, 10 + n) for n, status in enumerate(STATUSES)]
    found = drawing(made(rows))
    assert found is not None
    written = texts(found.svg)
    for text in ("2.50", "0.995", "3.25", "123000", *STATUSES.values(), "torch", "jax"):
        assert text in written
    assert all(f"{symbol} " in written[-1] for symbol in STATUSES.values())
    words = alt(found.svg)
    assert "mlp, width 8, torch: backprop 2.50, forward gradient, tangents given 0.995" in words
    assert "mlp, width 10, torch: backprop timeout" in words and "mlp, width 15, torch: backprop n/a" in words
    assert len(found.data) == len(rows) and found.data["drawn"].all()
    assert "Drawn are" not in found.caption
    assert "<image" not in found.svg


def test_a_box_that_nobody_measured_is_empty_and_rows_stand_in_the_fixed_order() -> None:
    jfb: Row = {"problem": "tanh", "sizes": TANH, "method": ("jfb", {"K": 60})}
    found = drawing(made([timed(1.25, noise=0.0, **jfb), row(3.0, 9, GAUSSIAN), row("n/a", 9), row(2.0)]))
    assert found is not None
    written = texts(found.svg)
    assert [text for text in written if text in ("backprop", "forward gradient", "JFB")] == [
        "backprop",
        "forward gradient",
        "JFB",
    ]
    # Of the four boxes of mlp one has no text.
    assert sorted(text for text in written if text in ("1.25", "2.00", "3.00", "–")) == ["1.25", "2.00", "3.00", "–"]


def test_where_all_failed_there_are_symbols_and_no_scale() -> None:
    found = drawing(made([row("oom"), row("diverged", method=GIVEN)]))
    assert found is not None
    assert {"M", "D"} <= set(texts(found.svg)) and "R, in forwards (logarithmic)" not in texts(found.svg)
    assert drawing([]) is None


def test_thirty_groups_wrap_and_those_left_out_are_counted() -> None:
    found = drawing(made([row(2.0, width) for width in range(30)]))
    assert found is not None
    assert f"Drawn are {MOST_PANELS} of 30 cells" in found.caption
    assert texts(found.svg).count("2.00") == MOST_PANELS
    assert len(found.data) == 30 and found.data["drawn"].sum() == MOST_PANELS


def test_one_group_in_two_dtypes_has_two_names() -> None:
    found = made([row(2.0), row(3.0, dtype="float64", cell="other")])
    assert titles(found) == ["mlp, float32, seed 0", "mlp, float64, seed 0"]
    assert titles(made([row(2.0)])) == ["mlp"]


def test_text_on_every_colour_has_contrast_and_grey_only_darkens() -> None:
    shades = [tuple(shade) for shade in colours()(np.arange(32))]
    light = [luminance(shade) for shade in shades]
    assert all(one > other for one, other in pairwise(light))
    for shade, bright in zip(shades, light, strict=True):
        text = 1.0 if ink(shade) == "white" else 0.0
        high, low = max(bright, text), min(bright, text)
        assert (high + 0.05) / (low + 0.05) >= 4.5
    assert ink("white") == "black" and ink("black") == "white"


@pytest.mark.parametrize(
    ("low", "high", "ticks"), [(0.9, 8.0, [1, 2, 5]), (1.0, 2.0, [1, 2]), (1.0, 1e6, [1, 10, 100, 1e3, 1e4, 1e5, 1e6])]
)
def test_ticks_are_round(low: float, high: float, ticks: list[float]) -> None:
    assert round_numbers(low, high) == ticks


def test_names_are_only_text() -> None:
    found = drawing(made(hostile()))
    assert found is not None
    reader = Reader(found.svg)
    assert reader.stack == [] and not {tag for tag, _ in reader.tags} & {"script", "img", "image"}
