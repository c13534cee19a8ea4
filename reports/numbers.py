"""Numbers as they are printed: at most three significant digits, with their unit, a dash for the unknown."""

from __future__ import annotations

from fractions import Fraction
from math import floor, isnan, log10

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
