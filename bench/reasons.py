"""The words of a failure, fit for a committed file."""

from __future__ import annotations

import re


def without_paths(text: str) -> str:
    """The text with each absolute path cut down to its last name, since a result names no folders."""
    return re.sub(r"(?<![\w./])/(?:[^\s/'\"]+/)+", "", text)
