"""Comparisons that are as short as a test can have them."""

from __future__ import annotations

from typing import Any

import gradratio

BRIEF: dict[str, Any] = {"workers": 0, "budget_s": 1e-3}


def compared(**asked: Any) -> Any:
    """``gradratio.compare`` in this process, with as few pairs as there are."""
    return gradratio.compare(**(BRIEF | asked))


def only(found: Any) -> dict[str, Any]:
    """The one row of a comparison."""
    (row,) = found.to_dict("records")
    return row
