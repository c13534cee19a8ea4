"""How bytes grow along a sweep: exact differences of integers, and what they are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

from reports.numbers import exact

ITEM_BYTES = {"float64": 8, "float32": 4, "bfloat16": 2, "float16": 2}
NUMBERS = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}
MOST = max(NUMBERS)
"""More activations or weights a unit than this are not named: a large multiple may well be chance."""


@dataclass(frozen=True)
class Slope:
    """Bytes a unit between neighbouring points, in order.

    ``xs`` are the points; ``steps[i]`` belongs to the way from ``xs[i]`` to ``xs[i + 1]``.
    """

    unit: str
    xs: tuple[int, ...]
    steps: tuple[Fraction, ...]

    @property
    def exact(self) -> Fraction | None:
        """The bytes a unit that all neighbouring points differ by; ``None`` where they do not agree."""
        return self.steps[0] if len(set(self.steps)) == 1 else None

    @property
    def tail(self) -> int:
        """How many steps at the end are the same."""
        return next((n for n, step in enumerate(reversed(self.steps)) if step != self.steps[-1]), len(self.steps))

    @property
    def short(self) -> str:
        """For the legend of a figure."""
        return f"{_range(self.steps)} B a {self.unit}"


def slope(xs: Sequence[int], ys: Sequence[int], unit: str) -> Slope:
    """The slope of ``ys`` over ``xs``, which are sorted and have at least two points."""
    steps = [
        Fraction(int(y1) - int(y0), int(x1) - int(x0)) for (x0, y0), (x1, y1) in pairwise(zip(xs, ys, strict=True))
    ]
    return Slope(unit, tuple(map(int, xs)), tuple(steps))


def activation_bytes(sizes: Mapping[str, Any], dtype: str) -> int | None:
    """Bytes of one activation, batch × width numbers; ``None`` for a problem that has no such sizes."""
    batch, width, item = sizes.get("batch"), sizes.get("width"), ITEM_BYTES.get(dtype)
    return batch * width * item if isinstance(batch, int) and isinstance(width, int) and item else None


def parts(value: Fraction, activation: int | None, weights: Fraction) -> tuple[int, int] | None:
    """Numbers of activations and of one unit's weights that add up to ``value`` exactly, the fewest pieces.

    ``weights`` is the slope of the parameters' bytes (0 where the parameters do not grow).
    """
    found = [
        (activations, copies)
        for activations in range(MOST + 1 if activation else 1)
        for copies in range(MOST + 1 if weights else 1)
        if activations * (activation or 0) + copies * weights == value
    ]
    return min(found, key=sum) if found else None


def describe(found: Slope, activation: int | None, weights: Fraction) -> str:
    """A slope in words: ``+131072 B a layer: exactly one activation``.

    Where the first steps differ but at least the last two agree, these are told apart from the ones before.
    """
    if found.exact is None and found.tail < 2:
        return f"{found.short}, not a straight line"
    value, words = found.steps[-1], f"{_signed(found.steps[-1])} B a {found.unit}"
    if found.exact is None:
        first = len(found.steps) - found.tail
        words += f" from {found.xs[first]} on (before: {_range(found.steps[:first])})"
    if value == 0:
        return f"{words}: constant"
    pieces = parts(value, activation, weights)
    return words if pieces is None else f"{words}: exactly {_pieces(*pieces, found.unit)}"


def _pieces(activations: int, copies: int, unit: str) -> str:
    """``one activation and two copies of the weights of one layer``."""
    words = []
    if activations:
        words.append(f"{NUMBERS[activations]} activation{'s' if activations > 1 else ''}")
    if copies:
        words.append(f"{NUMBERS[copies]} {'copies' if copies > 1 else 'copy'} of a {unit}'s weights")
    return " and ".join(words)


def _signed(value: Fraction) -> str:
    """With a plus sign where it grows; nothing before a zero."""
    return f"+{exact(value)}" if value > 0 else exact(value).replace("-", "−")


def _range(steps: Sequence[Fraction]) -> str:
    """One number, or the smallest and the largest."""
    low, high = min(steps), max(steps)
    return _signed(low) if low == high else f"{_signed(low)} to {_signed(high)}"
