"""Seconds of training steps that one process took in turn, and the ratio of two methods' from all processes."""

from __future__ import annotations

from typing import Any

import pandas as pd

from bench.stats import Estimate, centre, paired
from reports.claims.select import keyed, only


def ratio(frame: pd.DataFrame, above: str, below: str, column: str = "method") -> Estimate:
    """Seconds above ÷ seconds below, for each worker first. A record's own ``ratio``, to the first method of the same
    round, is taken where both have one: drift between rounds cancels in it."""
    one, other = only(frame, **{column: above}), only(frame, **{column: below})
    taken = {name: (keyed(one, "worker", name), keyed(other, "worker", name)) for name in ("ratio", "seconds")}
    found = paired(*taken["ratio"])
    return found if found.samples else paired(*taken["seconds"])


def seconds(frame: pd.DataFrame, method: str) -> Estimate:
    """Of one step under a method."""
    found: dict[Any, float] = keyed(only(frame, method=method), "worker", "seconds")
    return centre(found.values())
