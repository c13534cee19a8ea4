"""What a cell can raise that is a result of its own: each stands for a status."""

from __future__ import annotations

import operator
from collections.abc import Callable
from importlib import import_module
from typing import Any


class Wrong(Exception):
    """The gradient is off its oracle."""


class Diverged(Exception):
    """The loss or gradient is no number."""


class NotApplicable(Exception):
    """This combination does not exist, for the reason given."""


class Unavailable(NotApplicable):
    """This machine lacks what the cell needs, such as a compiler or a GPU."""


GONE = (ImportError, AttributeError, KeyError, TypeError)
"""What the use of a name raises that a framework no longer has, or has in another form."""


def require_sight(
    framework: str, what: str, look: Callable[[], Any], known: Any, right: Callable[[Any, Any], bool] = operator.eq
) -> None:
    """Try an instrument that rests on a framework's private names or options: ``look()`` measures a case whose answer
    is ``known``. Raises ``Unavailable`` where a name is gone, and where what is found is not ``right``."""
    try:
        found = look()
        if right(found, known):
            return
        how = f"shows {found} {what} where {known} are known"
    except GONE as error:
        how = f"shows no {what} any more ({type(error).__name__}: {error})"
    version = import_module(framework).__version__
    raise Unavailable(f"{framework} {version} {how}, so they cannot be measured: use the versions of constraints.txt.")


UNAVAILABLE = "not available here: "
"""How the reason of a cell begins that this machine lacks something for."""
