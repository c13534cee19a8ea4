"""Numbers as they are printed: at most three significant digits, with their unit, a dash for the unknown; and texts,
shortened."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from math import floor, isfinite, isnan, log10, nan
from typing import Any

from bench.rows import printable

DASH = "–"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def sig(value: float, digits: int = 3) -> str:
    """At most ``digits`` significant digits; a power of ten where plain digits would be long.

    >>> sig(1234.5), sig(0.98765), sig(3.14159e-7)
    ('1230', '0.988', '3.14×10⁻⁷')
    """
    if isnan(value):
        return DASH
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits - 1}e}")
    exponent = floor(log10(abs(rounded)))
    if not -3 <= exponent <= 5:
        mantissa = f"{value:.{digits - 1}e}".split("e")[0]
        return f"{mantissa}×10{str(exponent).translate(_SUPERSCRIPT)}"
    return f"{rounded:.{max(digits - 1 - exponent, 0)}f}"


def interval(value: float, low: float, high: float) -> str:
    """A value with its interval, ``2.97 [2.91, 3.04]``; says so where one worker gives none."""
    if isnan(value):
        return DASH
    return f"{sig(value)} {bounds(low, high)}"


def bounds(low: float, high: float) -> str:
    """An interval alone."""
    return "[one worker]" if isnan(low) or isnan(high) else f"[{sig(low)}, {sig(high)}]"


def milliseconds(seconds: float) -> str:
    """Seconds, printed as milliseconds."""
    return DASH if isnan(seconds) else f"{sig(seconds * 1e3)} ms"


def seconds(value: float) -> str:
    """Seconds."""
    return DASH if isnan(value) else f"{sig(value)} s"


def size(count: float) -> str:
    """Bytes in B, kB, MB (1e6 B), GB or TB.

    >>> size(512), size(131072), size(-2.5e6)
    ('512 B', '131 kB', '-2.50 MB')
    """
    if isnan(count):
        return DASH
    for unit, scale in (("B", 1.0), ("kB", 1e3), ("MB", 1e6), ("GB", 1e9)):
        # The limit is where three digits would round up to the next unit.
        if abs(count) < 999.5 * scale:
            return f"{int(count)} B" if unit == "B" else f"{sig(count / scale)} {unit}"
    return f"{sig(count / 1e12)} TB"


def whole(count: float) -> str:
    """A count, such as solver steps."""
    return DASH if isnan(count) else f"{count:g}"


def exact(value: Fraction | int) -> str:
    """Every digit of an integer; three decimals of any other fraction."""
    fraction = Fraction(value)
    return str(fraction.numerator) if fraction.denominator == 1 else f"{float(fraction):.3f}"


def number(value: Any) -> float:
    """A finite float, or NaN for anything else (None, text, a boolean, an infinity, a number too large)."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return nan
    try:
        found = float(value)
    except OverflowError:
        return nan
    return found if isfinite(found) else nan


def shorten(text: str, most: int) -> str:
    """At most ``most`` characters: the first ones and a digest of the whole, so that two long names stay two.

    >>> shorten("a name", 10), shorten("a" * 30, 12)
    ('a name', 'aaa…3a54fc0c')
    """
    if len(text) <= most:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{text[: most - 9]}…{digest}"


def clip(text: str, most: int) -> str:
    """At most ``most`` characters, for a label in a figure, where a full name stands elsewhere."""
    return text if len(text) <= most else text[: most - 1] + "…"


def quoted(value: Any) -> str:
    """A value as a sentence may name it."""
    return printable(repr(value), 40)
