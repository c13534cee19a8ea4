"""Values read from a file, made safe to show: texts without control characters, bounded lengths, depths and numbers."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from typing import Any

DEEPEST = 8
"""Lists and tables inside each other; a row of results needs four."""

LONGEST = 300
"""Characters of any text; names are shorter still (see ``rows``)."""

LARGEST = 10**30
"""No count of bytes or flops comes near; larger whole numbers overflow what is drawn from them."""


class Unusable(ValueError):
    """Why a line cannot be used: a clause that can follow "is skipped: "."""


class Damaged(Unusable):
    """A line that is no JSON, as a killed writer leaves behind."""


_BLANK = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029]+")

# Terminals obey control characters, the eye obeys marks of direction, UTF-8 and XML refuse the last three groups.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)


def plain(text: str) -> str:
    """The text on one line, each character that could act instead of being read replaced by U+FFFD."""
    return _UNSAFE.sub("\ufffd", _BLANK.sub(" ", text))


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


def quoted(value: Any, most: int = 40) -> str:
    """A value as a sentence may name it."""
    return clip(plain(repr(value)), most)


def clean(value: Any, depth: int = 0) -> Any:
    """The same value with safe texts, and ``None`` for NaN and the infinities; ``Unusable`` where that cannot be."""
    if depth > DEEPEST:
        raise Unusable(f"it nests lists or tables deeper than {DEEPEST}")
    if isinstance(value, str):
        return plain(shorten(value, LONGEST))
    if isinstance(value, list):
        return [clean(one, depth + 1) for one in value]
    if isinstance(value, dict):
        return once([(clean(name), clean(one, depth + 1)) for name, one in value.items()])
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int) and abs(value) > LARGEST:
        raise Unusable("it holds a whole number of more than 30 digits")
    return value


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The pairs as a table; ``Unusable`` where a name stands twice, since nobody can tell which one is meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        (twice, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise Unusable(f"it names {quoted(twice)} twice")
    return found
