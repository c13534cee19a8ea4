"""Looking a name up, with an error that helps."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TypeVar

Entry = TypeVar("Entry")


def pick(kind: str, name: str, table: Mapping[str, Entry]) -> Entry:
    """``table[name]``; a ``LookupError`` names the nearest entries when there is none."""
    if isinstance(name, str) and name in table:
        return table[name]
    close = difflib.get_close_matches(str(name), table, n=3, cutoff=0.5)
    known = f"known: {', '.join(table)}." if table else "there is none."
    hint = f"did you mean {' or '.join(close)}?" if close else known
    raise LookupError(f"No {kind} {name!r}: {hint}")
