"""Files of results that are damaged or hostile: a small good one, and what becomes of it by chance."""

from __future__ import annotations

import copy
import json
import math
import random
from collections.abc import Iterator, Sequence
from typing import Any

from bench.cells import Cell
from tests.rows import Row, exact, of_cell, part, run, timed

CELL = Cell("torch", "tanh", "ift")

MARKUP = (
    "<script>alert(1)</script>",
    "</svg></title></style><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }}{% for a in b %}",
    "]]><!-- & --> &lt;script&gt;",
    '"><a href="javascript:alert(1)" id="results">',
    "$\\frac{1}{$ x^{",
    "=HYPERLINK(1)",
    "中文 عربى 🜁",
    "",
)
"""Texts that a row may hold, and that a page must show as texts."""

UNPRINTABLE = ("\x1b]0;title\x07\x1b[2J", "\ud800\uffff\u202e", "\x00")
"""Texts that no row may hold."""

JUNK: tuple[Any, ...] = (
    *(..., None, True, -1, 2.5, 10**400, 1e308, 5e-324, -0.0, 2**63, math.nan, math.inf),
    *(*MARKUP, *UNPRINTABLE, "no such word", "W" * 500, "a b " * 30_000),
    *([], [None], {}, {"a": [{}]}, {"</svg>": "<img>"}),
)
"""What stands where something else should; ``...`` takes the field away."""


def whole() -> list[Row]:
    """A small file as it is written: a row of each kind that a run leaves."""
    record = {"cell": "c", "contender": "ours", "status": "ok", "ratio": 1.0, "error": None}
    values = {"peak_bytes": 8, "traffic": 30, "forward_traffic": 10, "gradient_error": 1e-7, "flop_ratio": 2.0}
    conditions = {"load": 0.5, "cpu_share": 0.99, "steal_share": 0.0, "warnings": ["busy"]}
    samples = {"forward_s": [0.5, 0.5], "gradient_s": [1.0, 1.5]}
    some = [
        run(cells=[CELL.id]),
        of_cell(CELL, values=values),
        of_cell(CELL, measure="time", samples=samples, values={"compile_s": None}, conditions=conditions),
        part("peers", [record], cell="c"),
        {"kind": "verdict", "schema": 1, "run": "0" * 12, "surprises": [{"cell": "c", "expected": "ok", "found": "x"}]},
    ]
    return copy.deepcopy(some)  # they share the tables of versions and of the machine


def drawn() -> list[Row]:
    """Rows of which a page has a figure each: times, values of a GPU, and a sweep from shapes alone."""
    sizes = {"batch": 8, "depth": 2, "width": 4}
    ift = ("ift", {"K": 3, "linear_solver": "gmres"})
    return [
        run("1" * 12),
        timed(2.0, problem="other") | {"conditions": {"load": 0.5, "warnings": ["busy"]}},
        exact(100, problem="tanh", method=ift, values={"device_peak_bytes": 128}),
        *(exact(50 * depth, problem="far", device="meta", sizes=sizes | {"depth": depth}) for depth in (2, 4, 8)),
    ]


def places(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every field of a table, and to every entry of a list in it."""
    for name in value if isinstance(value, dict) else range(len(value)):
        yield (*before, name)
        if isinstance(value[name], dict | list):
            yield from places(value[name], (*before, name))


def changed(some: Any, place: tuple[Any, ...], junk: Any) -> None:
    """Put another value in one place."""
    *way, last = place
    inside: Any = some
    for name in way:
        inside = inside[name]
    if junk is ...:
        del inside[last]
    else:
        inside[last] = junk


def mutants(dice: random.Random, some: Sequence[Row]) -> bytes:
    """The file of these rows in which up to three values, or names, became something else, or a line was cut, doubled
    or overwritten."""
    made = copy.deepcopy(list(some))
    ways = [place for place in places(made) if len(place) > 1]
    for _ in range(dice.randint(0, 3)):
        *way, last = dice.choice(ways)
        try:
            changed(made, (*way, last), dice.choice(JUNK))
            if dice.random() < 0.2 and isinstance(last, str):  # another name for what stood there
                changed(made, (*way, dice.choice(MARKUP)), dice.choice(JUNK[1:]))
        except (KeyError, IndexError, TypeError):  # it stood inside of what was changed before
            continue
    lines = [json.dumps(row).encode() for row in made]
    for _ in range(dice.randint(0, 2)):
        place = dice.randrange(len(lines))
        line = lines[place]
        cut = dice.randrange(len(line) + 1)
        lines[place : place + 1] = dice.choice(
            (
                [line[:cut]],
                [line[:cut], line[cut:]],
                [line, line],
                [line[:cut] + dice.randbytes(dice.randint(1, 5)).replace(b"\n", b"") + line[cut + 3 :]],
                [line.replace(b"{", b'{"kind": "visit", ', 1)],
                [b"\xef\xbb\xbf" + line],
                [dice.randbytes(20).replace(b"\n", b"")],
            )
        )
    return b"\n".join(lines)
